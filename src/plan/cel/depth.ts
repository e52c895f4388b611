/** A chain of so many operands takes so many levels: compiling and running go down all of them. */
const MOST_LEVELS = 1_000;

/** What is said of an expression that goes deeper. */
export const TOO_DEEP = `this goes deeper than ${MOST_LEVELS} levels: use in [...] instead of a chain of ||, or divide it into several metrics`;

/** True for a syntax tree too deep to be walked safely. Walks it without going down itself. */
export function isTooDeep(root: unknown): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return true;
    level = level.flatMap(nodesBelow);
  }
  return false;
}

/** The nodes among the arguments of a node; lists of them are no level of their own. */
function nodesBelow(part: unknown): unknown[] {
  const args: unknown = typeof part === "object" && part !== null && "args" in part ? part.args : [];
  return (Array.isArray(args) ? args.flat(2) : [args]).filter(
    (one) => typeof one === "object" && one !== null,
  );
}
