/** Shorter ones stand in ordinary words as well: taking those out would make nonsense, and give away what was taken out. */
const SHORTEST = 6;

/**
 * Takes secrets out of text before it is printed: the given ones, also as JSON writes them,
 * and whatever stands before the `@` of an address.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const written = secrets
    .filter(({ length }) => length >= SHORTEST)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const longestFirst = [...new Set(written)].sort((a, b) => b.length - a.length);
  return (text) => {
    const without = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
    return without.replace(/\/\/[^@/\s"]*@/g, "//***@");
  };
}

/** Text in which nothing steers a terminal or begins another line: control characters as `\uXXXX`, which JSON reads back. */
export function escaped(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
