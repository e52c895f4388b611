import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { codecOf, testCodecs, type CodecName } from "../../../../src/ingest/kafka/codecs/codecs.ts";
import { unlz4 } from "../../../../src/ingest/kafka/codecs/lz4.ts";
import { readRecords } from "../../../../src/ingest/kafka/records.ts";
import { unsnappy } from "../../../../src/ingest/kafka/codecs/snappy.ts";
import { unreadOf } from "../../../../src/ingest/kafka/unread.ts";
import { unzstd } from "../../../../src/ingest/kafka/codecs/zstd.ts";

/** A batch of records as a broker sends it, around packed bytes: a view of something larger, behind its header. */
function batchOf(packed: Buffer, { count = 3, lastDelta = 4, offset = 100 } = {}): Buffer {
  const response = Buffer.alloc(7 + 61 + packed.length + 5, 0xee);
  const header = response.subarray(7, 7 + 61);
  header.writeBigInt64BE(BigInt(offset), 0);
  header.writeInt32BE(49 + packed.length, 8);
  header.writeInt8(2, 16);
  header.writeInt32BE(lastDelta, 23);
  header.writeInt32BE(count, 57);
  packed.copy(response, 7 + 61);
  return response.subarray(7 + 61, 7 + 61 + packed.length);
}

/** Records as the client library reads them: only what a stand-in has. */
function standInsOf(unpacked: Buffer): { delta: number; headers: Record<string, string> }[] {
  let at = 0;
  const varint = (): number => {
    let raw = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = unpacked[at++] ?? 0;
      raw += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
  };
  const text = (): string => {
    const size = varint();
    return unpacked.subarray(at, (at += size)).toString();
  };
  const found = [];
  while (at < unpacked.length) {
    const end = varint() + at;
    at += 2;
    const delta = varint();
    expect([varint(), varint(), varint()]).toEqual([-1, -1, 1]);
    found.push({ delta, headers: { [text()]: text() } });
    expect(at).toBe(end);
  }
  return found;
}

/** Zeros in a frame of LZ4: one literal, and one match that is as long as it is told. */
function lz4Bomb(repeats: number): Buffer {
  const block = Buffer.concat([Buffer.from([0x1f, 0, 1, 0]), Buffer.alloc(repeats, 255), Buffer.from([0])]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([Buffer.from("04224d18604082", "hex"), size, block, Buffer.alloc(4)]);
}

/** Zeros in a frame of Zstandard: blocks of 128 KB, four bytes each. */
function zstdBomb(blocks: number, descriptor = 0x38): Buffer {
  const size = 131_072;
  const block = (isLast: number) => {
    const head = (size << 3) | (1 << 1) | isLast;
    return Buffer.from([head & 255, (head >> 8) & 255, (head >> 16) & 255, 0]);
  };
  const all = Array.from({ length: blocks }, (_, at) => block(at === blocks - 1 ? 1 : 0));
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, descriptor]), ...all]);
}

const BOMBS: Readonly<Record<CodecName, Buffer>> = {
  gzip: gzipSync(Buffer.alloc(2_000_000)),
  // A block that says it is 2,000,000 bytes long.
  snappy: Buffer.from([0x80, 0x89, 0x7a, 0x00, 0x61]),
  lz4: lz4Bomb(8_000),
  zstd: zstdBomb(16),
};
const LIMIT = 1_000_000;

test("every codec unpacks a small frame", async () => {
  await expect(testCodecs()).resolves.toBeUndefined();
});

describe.each(Object.keys(BOMBS) as CodecName[])("%s", (name) => {
  test("a batch that unpacks to too much is answered with stand-ins that end where it ends", async () => {
    const unpacked = await codecOf(name, LIMIT).decompress(batchOf(BOMBS[name]));
    const found = standInsOf(unpacked);
    expect(found.map(({ delta }) => delta)).toEqual([0, 1, 4]);
    expect(found.map(({ headers }) => unreadOf(headers))).toEqual(["too-large", "too-large", "too-large"]);
  });

  test("broken bytes are answered with stand-ins, never with an error or something made up", async () => {
    const broken = Buffer.from("this is not packed by anything at all, is it");
    const found = standInsOf(await codecOf(name, LIMIT).decompress(batchOf(broken)));
    expect(found).toHaveLength(3);
    expect(found.every(({ headers }) => unreadOf(headers) !== null)).toBe(true);
  });

  test("a batch whose header cannot be made out ends ingest instead of being guessed at", async () => {
    const bare = Buffer.from(BOMBS[name]);
    const refused: unknown = await codecOf(name, LIMIT)
      .decompress(bare)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ retriable: false });
    const many = batchOf(BOMBS[name], { count: 5_000_000, lastDelta: 4_999_999 });
    await expect(codecOf(name, LIMIT).decompress(many)).rejects.toThrow("5000000 records at offset 100");
  });
});

test("room is never taken on the word of a frame", () => {
  const windowOf2GB = zstdBomb(1, 0xa8);
  expect(() => unzstd(windowOf2GB, LIMIT)).toThrow("window");
  const sizeOf2EB = Buffer.from("04224d18684000000000ffffff7f0000000000", "hex");
  expect(() => unlz4(sizeOf2EB, LIMIT)).toThrow("it unpacks to");
  const framed = Buffer.concat([
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ...[1, 2].map(() => Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from([0xc0, 0x84, 0x3d, 0])])),
  ]);
  return expect(unsnappy(framed, 1_500_000)).rejects.toThrow("2000000");
});

test("stand-ins next to each other become one report; a record cannot pass itself off as one", async () => {
  const packed = await codecOf("gzip", LIMIT).decompress(batchOf(BOMBS.gzip));
  const [mark] = standInsOf(packed).map(({ headers }) => headers);
  const plain = { timestamp: "5", key: null, value: Buffer.from("v") };
  const { records, unreadable } = readRecords("t", 3, [
    { ...plain, offset: "7", headers: { "unread-": "L", twice: [Buffer.from("a"), Buffer.from("b")] } },
    { ...plain, offset: "8", headers: mark ?? {} },
    { ...plain, offset: "9", headers: mark ?? {} },
    { ...plain, offset: "9007199254740993" },
  ]);
  expect(records.map(({ offset, headers }) => [offset, headers])).toEqual([
    ["7", { "unread-": "L", twice: "b" }],
    ["9007199254740993", {}],
  ]);
  expect(unreadable).toMatchObject([{ origin: { topic: "t", partition: 3, offset: "8" }, bytes: null }]);
  expect(unreadable[0]?.reason).toContain("2 records up to offset 9");
});
