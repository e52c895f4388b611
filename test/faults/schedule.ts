import { chanceFrom } from "./chance.ts";

/** Each kind of fault with how long it lasts, milliseconds, at least and at most. Sessions of the group end after 10 s. */
export const KINDS = {
  "ingest-kill": [0, 1_500],
  "redis-kill": [500, 7_000],
  "api-kill": [0, 1_500],
  "store-kill": [0, 2_000],
  "kafka-kill": [0, 2_000],
  "redis-flushall": [0, 0],
  "ingest-freeze": [12_000, 14_000],
  "store-cut": [500, 3_000],
  "redis-half-open": [2_500, 7_000],
  "redis-wipe": [0, 2_000],
  "redis-trim": [0, 0],
  "api-freeze": [2_000, 5_000],
  "ingest-storm": [0, 0],
  "store-half-open": [2_500, 5_000],
  "store-lost-replies": [1_000, 3_000],
  "store-slow": [3_000, 6_000],
  "redis-cut": [500, 7_000],
  "redis-lost-replies": [1_000, 4_000],
  "redis-slow": [3_000, 6_000],
  "kafka-cut": [1_000, 4_000],
  "kafka-half-open": [2_500, 5_000],
  "kafka-lose": [0, 2_000],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type Kind = keyof typeof KINDS;

/** Only where it is asked for by name: a partition is read again from its start, which takes as long as it is long by then. */
export const BY_NAME: readonly Kind[] = ["kafka-lose"];

/** One fault to come. */
export interface Fault {
  readonly kind: Kind;
  /** Which of two processes, where there are two. */
  readonly which: 0 | 1;
  readonly holdMs: number;
}

/** What a schedule is made from. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly count: number;
  /** Only these kinds; by default all that need not be asked for by name. */
  readonly kinds?: readonly Kind[];
}

/** Faults in the order they are injected: each kind once before any comes again. The same seed gives the same faults. */
export function schedule({ seed, count, kinds }: ScheduleOptions): readonly Fault[] {
  const chance = chanceFrom(seed ^ 0x5eed);
  const all = kinds ?? (Object.keys(KINDS) as Kind[]).filter((kind) => !BY_NAME.includes(kind));
  const faults: Fault[] = [];
  let deck: Kind[] = [];
  while (faults.length < count) {
    if (deck.length === 0) deck = [...all];
    const [kind] = deck.splice(chance.below(deck.length), 1);
    if (kind === undefined) throw new Error("no kinds of faults");
    const [least, most] = KINDS[kind];
    const which = chance.below(2) === 0 ? 0 : 1;
    faults.push({ kind, which, holdMs: least + chance.below(most - least + 1) });
  }
  return faults;
}
