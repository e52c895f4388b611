import snappyCodec from "kafkajs-snappy";

const codec = snappyCodec();
/** How frames of xerial begin, which Java's producers write: several blocks, each with its size in front. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const FIRST_BLOCK_AT = 16;

/** Unpacks snappy, bare or in frames. Blocks tell their size in front, so what would be too large is not begun with. */
export async function unsnappy(packed: Buffer, maxBytes: number): Promise<Buffer> {
  const size = blocksOf(packed).reduce((sum, block) => sum + declaredSize(block), 0);
  if (size > maxBytes) throw new RangeError(`it unpacks to ${size} bytes`);
  return codec.decompress(packed);
}

function blocksOf(packed: Buffer): readonly Buffer[] {
  if (!packed.subarray(0, XERIAL.length).equals(XERIAL)) return [packed];
  const blocks: Buffer[] = [];
  for (let at = FIRST_BLOCK_AT; at + 4 <= packed.length;) {
    const size = packed.readUInt32BE(at);
    blocks.push(packed.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return blocks;
}

/** The size in front of a block: seven bits a byte, the lowest first. */
function declaredSize(block: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at] ?? 0;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return size;
  }
  throw new RangeError("a block without a size");
}
