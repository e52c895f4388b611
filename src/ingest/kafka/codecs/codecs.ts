import { gzip, ungzip } from "./gzip.ts";
import { unlz4 } from "./lz4.ts";
import { standIns, type UnreadBatch } from "../unread.ts";
import { unsnappy } from "./snappy.ts";
import { unzstd } from "./zstd.ts";

/** Compression of record batches, by the number it has in Kafka's protocol. */
export const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/** A name in `CODECS`. */
export type CodecName = keyof typeof CODECS;

/** Unpacks one frame; throws when it is broken or larger than `maxBytes`. */
type Unpack = (packed: Buffer, maxBytes: number) => Buffer | Promise<Buffer>;

const UNPACK: Readonly<Record<CodecName, Unpack>> = {
  gzip: ungzip,
  snappy: unsnappy,
  lz4: unlz4,
  zstd: unzstd,
};

/** What the client library takes for a codec. */
export interface BatchCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
}

/**
 * A codec that never answers more than `maxBytes`. The client library would stop for good at a batch that cannot be unpacked, and
 * with it every other partition; so such a batch is answered with stand-ins for its records (kafka/unread.ts), which end in quarantine.
 */
export function codecOf(name: CodecName, maxBytes: number): BatchCodec {
  return {
    compress: ({ buffer }) => {
      if (name === "gzip") return gzip(buffer);
      return Promise.reject(new Error(`records cannot be packed with ${name} here`));
    },
    decompress: async (packed) => {
      try {
        return await UNPACK[name](packed, maxBytes);
      } catch (error) {
        return standIns(packed, unreadOf(error));
      }
    },
  };
}

/** One frame of each codec around the same text, as a producer would write it. */
const TEXT = "abcabcabcabcahello";
const FRAMES: Readonly<Record<CodecName, string>> = {
  gzip: "1f8b08000000000002034b4c4a4e84a38cd49c9c7c008f75102c12000000",
  snappy: "120861626319031068656c6c6f",
  lz4: "04224d186040820c0000003661626303005068656c6c6f00000000",
  zstd: "28b52ffd2012910000" + Buffer.from(TEXT).toString("hex"),
};

/** Unpacks one small frame of every codec. Throws naming those that do not work here, before any record depends on it. */
export async function testCodecs(): Promise<void> {
  const broken: string[] = [];
  for (const name of Object.keys(CODECS) as CodecName[]) if (!(await works(name))) broken.push(name);
  if (broken.length > 0) throw new Error(`these codecs do not work here: ${broken.join(", ")}`);
}

async function works(name: CodecName): Promise<boolean> {
  try {
    return (await UNPACK[name](Buffer.from(FRAMES[name], "hex"), TEXT.length)).toString() === TEXT;
  } catch {
    return false;
  }
}

/** Each unpacker says "too large" in its own way; all of them by a RangeError, the platform's own too. */
function unreadOf(error: unknown): UnreadBatch {
  return error instanceof RangeError ? "too-large" : "broken";
}
