/**
 * A place in one stream of Redis: everything up to a number. The epoch tells the stream from any that was in its place before; the life
 * tells under which run of the server the place was reached, because a run that ended may have taken the last numbers with it.
 */
export interface RedisPlace {
  readonly epoch: string;
  readonly life: string;
  readonly seq: number;
}

/** A life of a stream, and the number it began at: of what came before, only numbers up to this one are still what they were. */
export interface RedisLife {
  readonly life: string;
  readonly from: number;
}

/** What is known of a stream: its lives in their order, and where it ends. */
export interface RedisState {
  readonly end: RedisPlace;
  readonly lives: readonly RedisLife[];
}

const PLACE = /^(\d{18})\.(\d{1,6}-[0-9a-f]{1,8})\.(\d{1,15})$/;

/** The place as text. */
export function placeText({ epoch, life, seq }: RedisPlace): string {
  return `${epoch}.${life}.${seq}`;
}

/** Reads a place; null when the text is none. */
export function parsePlace(text: string): RedisPlace | null {
  const [, epoch = "", life = "", seq] = PLACE.exec(text) ?? [];
  return seq === undefined ? null : { epoch, life, seq: Number(seq) };
}

/** The id of the entry that ends at a place, or the one to read after. */
export function entryId({ epoch, seq }: RedisPlace): string {
  return `${epoch}-${seq}`;
}

/** Reads what the script answers. */
export function parseState(reply: unknown): RedisState {
  const [epoch, life, seq, lives] = reply as readonly [string, string, string, string];
  return {
    end: { epoch, life, seq: Number(seq) },
    lives: lives.split(",").map((text) => {
      const [name = "", from] = text.split(":");
      return { life: name, from: Number(from) };
    }),
  };
}

/** True when the stream still has, or had and trimmed, what this place names; false when it was lost or is of another stream. */
export function isOf({ end, lives }: RedisState, place: RedisPlace): boolean {
  if (place.epoch !== end.epoch || place.seq > end.seq) return false;
  const at = lives.findIndex(({ life }) => life === place.life);
  return at >= 0 && lives.slice(at + 1).every(({ from }) => place.seq <= from);
}

/** Which of two places is further on, as a comparator; null when one of them is not of this stream, as far as that is known. */
export function comparePlaces(state: RedisState, a: RedisPlace, b: RedisPlace): number | null {
  if (a.epoch !== b.epoch) return null;
  if (a.life === b.life) return a.seq - b.seq;
  const beyond = { ...state, end: { ...state.end, seq: Infinity } };
  return isOf(beyond, a) && isOf(beyond, b) ? a.seq - b.seq : null;
}
