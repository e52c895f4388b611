import type { Update } from "../../customer/customer.ts";
import { textOfBytes } from "../../store/utf8-text.ts";
import type { Utf8Text } from "../../store/utf8-text.ts";
import { updateOf, writeUpdate } from "../update-text.ts";
import type { UpdateJson } from "../update-text.ts";

/** Consecutive updates as one row of the stream: what a row costs is paid once for all of them. */
export interface Chunk {
  /** Whose revisions they are, as JSON: `[id, revision, id, revision, ...]`. */
  readonly revisions: string;
  /** One line of JSON per update. */
  readonly body: Uint8Array;
}

/** Updates in a chunk at most: enough to share the cost of a row, few enough that reading one of them reads little else. */
export const CHUNK_UPDATES = 64;

/** Writes updates as a chunk. The body is good until `scratch` is used again. */
export function writeChunk(updates: readonly Update[], scratch: Utf8Text): Chunk {
  const revisions: (string | number)[] = [];
  scratch.clear();
  for (const [index, update] of updates.entries()) {
    revisions.push(update.customerId, update.revision);
    if (index > 0) scratch.write("\n");
    writeUpdate(update, scratch);
  }
  return { revisions: JSON.stringify(revisions), body: scratch.bytes() };
}

/** The updates of a chunk from the given one on, at most so many. */
export function readChunk(body: Uint8Array, from: number, limit: number): readonly Update[] {
  const lines = textOfBytes(body).split("\n");
  return lines.slice(from, from + limit).map((line) => updateOf(JSON.parse(line) as UpdateJson));
}
