import { createHash } from "node:crypto";
import { isGone, outageOf } from "./outage.ts";
import { createFileReader } from "./reader.ts";

/** The beginning of a file's content: what tells it from another file under its name. */
export interface Head {
  /** 16 hexadecimal digits. */
  readonly hash: string;
  /** False while its line may still go on, so that the hash may still change. */
  readonly isWhole: boolean;
}

const HEAD_BYTES = 1_024;
const NEWLINE = 0x0a;

/**
 * The head is the unpacked content up to the end of the line its first value ends on, at most 1,024 bytes, without the white
 * space around it: appending never changes a whole one. What cannot be read or unpacked does not belong to it; whoever reads
 * on reports that. Null when the file is gone; an outage throws `SOURCE_UNAVAILABLE`.
 */
export async function headOf(fullPath: string): Promise<Head | null> {
  const reader = createFileReader(fullPath, { valueBytes: HEAD_BYTES, chunkBytes: HEAD_BYTES });
  const chunks: Buffer[] = [];
  try {
    for (let bytes = 0; bytes < HEAD_BYTES;) {
      const chunk = await reader.read();
      if (chunk === null) break;
      chunks.push(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    const outage = outageOf(fullPath, error);
    if (outage !== null) throw outage;
    if (isGone(error)) return null;
  } finally {
    reader.close();
  }
  const start = Buffer.concat(chunks).subarray(0, HEAD_BYTES);
  const [first] = reader.splitter.push(start);
  const end = first === undefined ? -1 : start.indexOf(NEWLINE, first.end - 1);
  const head = end < 0 ? start : start.subarray(0, end);
  return {
    hash: createHash("sha256").update(head.toString("latin1").trim()).digest("hex").slice(0, 16),
    isWhole: end >= 0 || start.length === HEAD_BYTES,
  };
}
