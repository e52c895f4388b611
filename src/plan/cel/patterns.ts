import { RE2JS, RE2JSException } from "re2js";

/** Says whether a pattern is found anywhere in a text; takes time in proportion to the text's length, whatever the pattern. */
type Finder = (text: string) => boolean;

/** Patterns stand in pipeline files, never in records, so there are as many as somebody wrote. */
const finders = new Map<string, Finder>();

/** What is missing from RE2, by how it is written, and what to do without it. */
const MISSING: readonly (readonly [written: RegExp, remedy: string])[] = [
  [/\(\?<?[=!]/, "; there is no looking ahead or behind: test for that with a second matches()"],
  [/\\[1-9]/, "; a pattern cannot refer back to what a group found"],
  [/\\u/, "; a character by its code is written \\x{e9}"],
  [/\{\d+(,\d*)?\}/, "; a part is repeated at most 1000 times, all repetitions around it counted"],
];

/** The fault of a pattern of `matches`, in words; null when it is one of RE2's. */
export function patternFault(pattern: string): string | null {
  try {
    finder(pattern);
    return null;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const reason = error.message.replace(/^error parsing regexp: /, "");
    const remedy = MISSING.find(([written]) => written.test(pattern))?.[1] ?? "";
    return `this is no pattern of RE2: ${reason}${remedy}`;
  }
}

/** True when the pattern is found anywhere in the text, as CEL wants it of `matches`. Throws when it is no pattern. */
export function found(pattern: string, text: string): boolean {
  return finder(pattern)(text);
}

function finder(pattern: string): Finder {
  let known = finders.get(pattern);
  if (known === undefined) {
    const compiled = RE2JS.compile(pattern);
    known = (text) => compiled.test(text);
    finders.set(pattern, known);
  }
  return known;
}
