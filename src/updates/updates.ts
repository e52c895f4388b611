import type { Update } from "../customer/customer.ts";

/** A place in the update stream, as text that only its adapter can read; ordered by the adapter. */
export type StreamCursor = string;

/** An update with its place. */
export interface StreamEntry {
  readonly cursor: StreamCursor;
  readonly update: Update;
  /** When it entered the stream, milliseconds since 1970. */
  readonly publishedMs: number;
}

/** What reading after a cursor gives. */
export type StreamRead =
  | { readonly kind: "entries"; readonly entries: readonly StreamEntry[] }
  /** The cursor points before what is kept, or to another life of the stream. `missed` when it can be known. `resumeAt` is the end of the stream now. */
  | {
      readonly kind: "gap";
      readonly missed: number | null;
      readonly reason: "RETENTION" | "RESTART";
      readonly resumeAt: StreamCursor;
    };

/**
 * PORT. Carries updates from ingest to every API process. Promises, held by `test/contract/updates.contract.ts`:
 * - at least once; publishing the same (customerId, revision) again has no effect while the first is retained;
 * - per customer, revisions rise along the stream;
 * - after a cursor come either all later entries in order, or a gap, never a hole;
 * - the order of a customer's entries is the same for every reader, and the cursor of one reader is good for any other;
 * - documents come without outbox, and of their notes with the number of live rows per paged table only.
 */
export interface Updates {
  /** Durable when it resolves. */
  publish(updates: readonly Update[]): Promise<void>;
  /** Entries after a cursor, at most `limit`; waits for the first one until the signal aborts (then answers no entries). */
  read(
    after: StreamCursor,
    options: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<StreamRead>;
  /** The end of the stream now: what is published from here on comes after it. */
  tail(): Promise<StreamCursor>;
  /**
   * Negative, zero or positive, like a comparator. NaN when both are of this stream and neither comes before the other, as where it has
   * several parts that readers follow each in their own time. Null when one of the two is not a cursor of this stream.
   */
  compare(a: StreamCursor, b: StreamCursor): number | null;
  /** Where a reader is that had come to `at` and takes an entry of somebody else's reading as well; null when `at` includes it. */
  onward(at: StreamCursor, entry: StreamCursor): StreamCursor | null;
  close(): Promise<void>;
}

/** `onward` of a stream whose entries come to all readers in one order. */
export function onwardInOrder(compare: Updates["compare"]): Updates["onward"] {
  return (at, entry) => ((compare(entry, at) ?? 1) > 0 ? entry : null);
}
