import { decompressBound, decompressFrame } from "lz4js";

const HAS_SIZE = 0x08;
const SIZE_AT = 6;

/** Unpacks a frame of LZ4. The room for it is never larger than `maxBytes`, whatever the frame says; what does not fit is refused. */
export function unlz4(packed: Buffer, maxBytes: number): Buffer {
  const most = boundOf(packed);
  if (((packed[4] ?? 0) & HAS_SIZE) !== 0 && most > maxBytes)
    throw new RangeError(`it unpacks to ${most} bytes`);
  const room = new Uint8Array(Math.min(maxBytes, most));
  const size = decompressFrame(packed, room);
  if (size > room.length) throw new RangeError(`it unpacks to ${size} bytes`);
  return Buffer.from(room.buffer, 0, size);
}

/** The size a frame says it has, or the most that its blocks can have. */
function boundOf(packed: Buffer): number {
  const isSized = ((packed[4] ?? 0) & HAS_SIZE) !== 0 && packed.length >= SIZE_AT + 8;
  return isSized ? Number(packed.readBigUInt64LE(SIZE_AT)) : decompressBound(packed);
}
