import type { Checkpoint } from "../source.ts";

/** First and last-plus-one offset of a partition that can be read now. */
export interface Marks {
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** What the group knows of a partition. */
export interface Committed {
  readonly topic: string;
  readonly partition: number;
  /** Negative when the group knows nothing. */
  readonly offset: bigint;
  /** The life we were in when we committed it, or null when somebody else did. */
  readonly life: number | null;
  /** What the record right before it was, as far as somebody noted that. */
  readonly witness: string | null;
}

/**
 * Why a partition does not go on where it was:
 * - `removed`: records were removed by retention before we read them;
 * - `recreated`: the topic ends before our checkpoint: it was deleted and made again, or the broker lost its end;
 * - `replaced`: other records lie before our checkpoint than those we read: the broker lost its end and gave the offsets out anew;
 * - `forgotten`: the group does not know a partition that we have a checkpoint of, as after its topic was deleted and made again.
 */
export type DiscontinuityKind = "removed" | "recreated" | "replaced" | "forgotten";

/** What each kind means to whoever reads it. */
export const DISCONTINUITIES: Readonly<Record<DiscontinuityKind, string>> = {
  removed: "records were removed from the topic before they were read",
  recreated: "the topic ends before the checkpoint: it is read anew, as another one",
  replaced:
    "the topic has other records before the checkpoint than were read: it is read anew, as another one",
  forgotten: "the group does not know the topic any more: it is read anew, as another one",
};

/** A place where a partition does not go on where it was. Never passed over in silence. */
export interface Discontinuity {
  readonly kind: DiscontinuityKind;
  readonly topic: string;
  readonly partition: number;
  /** Where we were; decimal text. */
  readonly from: string;
  /** Where we go on; decimal text. */
  readonly to: string;
}

/** Where a partition goes on. */
export interface Start {
  /** How often its topic was begun anew: part of the name of its progress, since a checkpoint never goes backwards. */
  readonly life: number;
  readonly offset: bigint;
  readonly discontinuity: Discontinuity | null;
}

/** The name of a topic's progress in a life. `#` cannot be part of a topic's name. */
export function progressName(topic: string, life: number): string {
  return life === 0 ? topic : `${topic}#${life}`;
}

/** The topic and the life that a name of progress stands for. */
export function readProgressName(name: string): { readonly topic: string; readonly life: number } {
  const at = name.lastIndexOf("#");
  const life = at < 0 ? "" : name.slice(at + 1);
  return /^[1-9]\d{0,8}$/.test(life)
    ? { topic: name.slice(0, at), life: Number(life) }
    : { topic: name, life: 0 };
}

/** What is kept beside a committed offset. */
export type Mark = Pick<Committed, "life" | "witness">;

/** The text kept beside a committed offset. */
export function markOf({ life, witness }: Mark): string {
  return `customer360 life=${life ?? 0}${witness === null ? "" : ` behind=${witness}`}`;
}

/** What such a text tells; of one that is none of ours, nothing. */
export function readMark(text: string | null): Mark {
  const [, life, witness = null] =
    /^customer360 life=(\d{1,9})(?: behind=([0-9a-f]{16}))?$/.exec(text ?? "") ?? [];
  return life === undefined ? { life: null, witness: null } : { life: Number(life), witness };
}

/**
 * Where a partition goes on. Our own checkpoint wins over the group's offset; the group is asked only whether it still knows the
 * partition: a broker forgets offsets together with the topic, and we commit one before we deliver the first record, so a
 * checkpoint without it tells of another topic under the same name, even one that has grown past the checkpoint.
 */
export function startOf(
  { topic, partition, low, high }: Marks,
  committed: Committed | undefined,
  checkpoints: readonly Checkpoint[],
): Start {
  const latest = latestOf(topic, partition, checkpoints);
  const begun = committed?.life ?? 0;
  // A life that the group knows of and the store does not was begun, and nothing of it was finished.
  if (latest === null || begun > latest.life)
    return { life: Math.max(begun, latest?.life ?? 0), offset: low, discontinuity: null };
  const { life, offset } = latest;
  const away = (kind: DiscontinuityKind): Discontinuity => ({
    kind,
    topic,
    partition,
    from: offset.toString(),
    to: low.toString(),
  });
  if (offset < low) return { life, offset: low, discontinuity: away("removed") };
  if (offset > high) return { life: life + 1, offset: low, discontinuity: away("recreated") };
  const isKnown = committed !== undefined && committed.offset >= 0n;
  if (!isKnown && offset > low) return { life: life + 1, offset: low, discontinuity: away("forgotten") };
  return { life, offset, discontinuity: null };
}

function latestOf(
  topic: string,
  partition: number,
  checkpoints: readonly Checkpoint[],
): { readonly life: number; readonly offset: bigint } | null {
  let latest = null;
  for (const checkpoint of checkpoints) {
    if (checkpoint.partition !== partition) continue;
    const name = readProgressName(checkpoint.topic);
    if (name.topic === topic && (latest === null || name.life > latest.life))
      latest = { life: name.life, offset: BigInt(checkpoint.nextOffset) };
  }
  return latest;
}
