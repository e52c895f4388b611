import { Decompress } from "fzstd";

/** Unpacks one frame of Zstandard block by block, and stops at the block that makes it larger than `maxBytes`. */
export function unzstd(packed: Buffer, maxBytes: number): Buffer {
  // Room for the window is taken before the first block, on the word of the frame.
  if (windowOf(packed) > maxBytes) throw new RangeError("its window is too large");
  const blocks: Uint8Array[] = [];
  let size = 0;
  new OneFrame((block) => {
    size += block.length;
    if (size > maxBytes) throw new RangeError(`it unpacks to more than ${maxBytes} bytes`);
    blocks.push(block);
  }).push(packed, true);
  return Buffer.concat(blocks, size);
}

const CHECKSUM_BYTES = 4;

/** Refuses a second frame, which nobody writes and whose window nobody looked at. What is left of a frame comes back to `push`. */
class OneFrame extends Decompress {
  #isBegun = false;

  override push(chunk: Uint8Array, final?: boolean): void {
    if (this.#isBegun && chunk.length > CHECKSUM_BYTES) throw new Error("more than one frame");
    this.#isBegun = true;
    super.push(chunk, final);
  }
}

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Bytes a frame wants to look back over: of its window, or of its whole content when that is one piece. */
function windowOf(packed: Buffer): number {
  if (!packed.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("no frame of Zstandard");
  const flags = packed[4] ?? 0;
  const isSingle = (flags & 0x20) !== 0;
  if (!isSingle) {
    const descriptor = packed[5] ?? 0;
    const base = 2 ** (10 + (descriptor >> 3));
    return base + (base / 8) * (descriptor & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = [1, 2, 4, 8][flags >> 6] ?? 1;
  const bytes = packed.subarray(5 + dictionaryBytes, 5 + dictionaryBytes + sizeBytes);
  return bytes.reduceRight((size, byte) => size * 256 + byte, 0);
}
