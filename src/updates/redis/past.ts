import type { Following, Placed } from "./entry.ts";
import type { RedisPlace } from "./place.ts";

/** Updates read at once, and how many such pieces are kept: what they take is given back as soon as nobody reads the past. */
const PIECE = { updates: 256, most: 64 };

/** A piece of the stream: updates numbered from its beginning on, as far as they were read. */
interface Piece {
  readonly entries: Placed[];
  /** What was answered behind an update of it, and will not become more: the same to everybody, so that what is made of it can be shared. */
  readonly pages: Map<number, readonly Placed[]>;
  reading: Promise<void> | null;
}

/**
 * What many read who come back at the same time from places near one another, as after the restart of a process: each piece of
 * the stream is read, and its text made sense of, once for all of them.
 */
export class Past {
  readonly #read: (after: RedisPlace, limit: number) => Promise<Following | null>;
  readonly #pieces = new Map<number, Piece>();

  /** `read` answers at most about so many updates right behind a place. */
  constructor(read: (after: RedisPlace, limit: number) => Promise<Following | null>) {
    this.#read = read;
  }

  /** What follows a place of the stream as it is now known to be; empty when that cannot be said from here. */
  async after(place: RedisPlace, limit: number): Promise<readonly Placed[]> {
    const number = Math.floor(place.seq / PIECE.updates);
    const piece = this.#piece(number);
    const at = place.seq - number * PIECE.updates;
    if (at >= piece.entries.length) {
      piece.reading ??= this.#fill(piece, { ...place, seq: number * PIECE.updates }).finally(
        () => (piece.reading = null),
      );
      await piece.reading;
    }
    return pageOf(piece, at, limit);
  }

  /** Forgets all of it. */
  clear(): void {
    this.#pieces.clear();
  }

  #piece(number: number): Piece {
    const piece = this.#pieces.get(number) ?? {
      entries: [],
      pages: new Map<number, readonly Placed[]>(),
      reading: null,
    };
    // Whoever was asked for last is forgotten last.
    this.#pieces.delete(number);
    this.#pieces.set(number, piece);
    if (this.#pieces.size > PIECE.most)
      for (const [oldest] of this.#pieces) {
        this.#pieces.delete(oldest);
        break;
      }
    return piece;
  }

  /** Reads the rest of a piece, as far as there is more by now. Where its beginning is gone, it stays empty. */
  async #fill({ entries }: Piece, begin: RedisPlace): Promise<void> {
    const left = PIECE.updates - entries.length;
    const found = await this.#read({ ...begin, seq: begin.seq + entries.length }, left);
    entries.push(...(found?.entries ?? []).slice(0, left));
  }
}

function pageOf({ entries, pages }: Piece, at: number, limit: number): readonly Placed[] {
  const end = Math.min(at + limit, PIECE.updates);
  const known = pages.get(at);
  if (known !== undefined && known.length === end - at) return known;
  const page = entries.slice(at, end);
  if (page.length === end - at) pages.set(at, page);
  return page;
}
