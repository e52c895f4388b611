import { namesGiven, SETTINGS } from "../config.ts";
import { editDistance } from "../plan/edit-distance.ts";

/** A variable that nobody reads, and the setting that was probably meant by it. */
export interface NearName {
  readonly given: string;
  readonly meant: string;
}

/** What other programs call the settings that name our servers. Such a name is no misspelling, so its letters would not tell. */
const ELSEWHERE: readonly (readonly [meant: string, names: RegExp])[] = [
  ["KAFKA_BROKERS", /^KAFKA_(BROKER_(LIST|URLS?)|BOOTSTRAP(_SERVERS?|_BROKERS)?|SERVERS?|URLS?)$/],
  ["KAFKA_GROUP", /^KAFKA_(CONSUMER_)?GROUP_ID$/],
  ["MONGODB_URI", /^MONGO(DB)?_(URI|URL|CONNECTION(_STRING|_URI|_URL)?)$/],
  ["REDIS_URL", /^REDIS_(URI|CONNECTION(_STRING|_URI|_URL)?)$/],
];

/** Shorter names are near to too many others. */
const SHORTEST = 8;

/** Variables that nearly bear the name of a setting which is not given: what they say would be left out without a word. */
export function nearNames(given: readonly string[] = namesGiven()): readonly NearName[] {
  const ours = new Set(SETTINGS.map(({ env }) => env));
  const missing = [...ours].filter((name) => !given.includes(name));
  return given
    .filter((name) => !ours.has(name) && /^[A-Z][A-Z0-9_]*$/.test(name))
    .flatMap((name) => {
      const meant = meantBy(name, missing);
      return meant === undefined ? [] : [{ given: name, meant }];
    });
}

function meantBy(name: string, missing: readonly string[]): string | undefined {
  const elsewhere = ELSEWHERE.find(([meant, names]) => missing.includes(meant) && names.test(name));
  if (elsewhere !== undefined) return elsewhere[0];
  const near = missing
    .filter(({ length }) => length >= SHORTEST)
    .map((meant) => ({ meant, distance: editDistance(name, meant) }))
    .filter(({ meant, distance }) => distance <= (meant.length > SHORTEST ? 2 : 1));
  return near.sort((a, b) => a.distance - b.distance)[0]?.meant;
}
