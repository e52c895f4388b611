/** True for a regular expression between slashes, such as `/bank\.public\..+/`; any other text is the name of a topic. */
export function isPattern(wanted: string): boolean {
  return wanted.length > 2 && wanted.startsWith("/") && wanted.endsWith("/");
}

/** A pattern as a regular expression that matches whole names. Throws a SyntaxError for one that is none. */
export function patternOf(wanted: string): RegExp {
  return new RegExp(`^(?:${wanted.slice(1, -1)})$`, "u");
}

/**
 * Finds whose topic a topic is: names come before patterns, and of several patterns the first one declared. A pattern is also
 * the name of itself: bare lines in a file come under it. What was found is remembered, since every record asks.
 */
export function ownerOfTopics<T extends { readonly topics: readonly string[] }>(
  owners: readonly T[],
): (topic: string) => T | undefined {
  const patterns: { readonly pattern: RegExp; readonly owner: T }[] = [];
  const known = new Map<string, T | undefined>();
  for (const owner of owners)
    for (const topic of owner.topics) {
      if (isPattern(topic)) patterns.push({ pattern: patternOf(topic), owner });
      if (!known.has(topic)) known.set(topic, owner);
    }
  return (topic) => {
    const found = known.get(topic);
    if (found !== undefined || known.has(topic)) return found;
    const owner = patterns.find(({ pattern }) => pattern.test(topic))?.owner;
    known.set(topic, owner);
    return owner;
  };
}
