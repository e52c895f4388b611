import { isPattern, patternOf } from "../../cdc/topics.ts";

/** Characters a Kafka topic's name may have. Anything else makes a name a pattern. */
const NAME = /^[A-Za-z0-9._-]+$/;

/**
 * The topics of a cluster that are wanted, sorted. A wanted topic is a name, or a pattern: a regular expression between slashes
 * (`/bank\.public\..+/`), matched against whole names. Internal topics (`__...`) are taken only by name.
 */
export function wantedTopics(wanted: readonly string[], existing: readonly string[]): readonly string[] {
  const names = new Set(wanted.filter((one) => !isPattern(one)));
  const patterns = wanted.filter(isPattern).map(patternOf);
  return existing
    .filter(
      (topic) => names.has(topic) || (!topic.startsWith("__") && patterns.some((one) => one.test(topic))),
    )
    .sort();
}

/** Wanted names that do not exist yet: no error, they are taken up once they do. */
export function missingTopics(wanted: readonly string[], existing: readonly string[]): readonly string[] {
  return wanted.filter((one) => !isPattern(one) && !existing.includes(one));
}

/** True for what can be asked of a cluster at all. A topic of files may have a name that no topic of Kafka can have. */
export function isTopic(wanted: string): boolean {
  return isPattern(wanted) || NAME.test(wanted);
}
