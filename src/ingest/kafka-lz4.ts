import { decompressBound, decompressFrame } from "lz4js";

/** Unpacks a frame of LZ4. The room for it is never larger than `maxBytes`, whatever the frame says; what does not fit is refused. */
export function unlz4(packed: Buffer, maxBytes: number): Buffer {
  const room = new Uint8Array(Math.min(maxBytes, decompressBound(packed)));
  const size = decompressFrame(packed, room);
  if (size > room.length) throw new RangeError(`it unpacks to ${size} bytes`);
  return Buffer.from(room.buffer, 0, size);
}
