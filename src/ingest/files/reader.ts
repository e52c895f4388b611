import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { LineSplitter, type Splitter } from "./lines.ts";
import { jsonSplitter } from "./values.ts";

/** The least that zlib takes. */
const MIN_CHUNK_BYTES = 64;
const MAX_CHUNK_BYTES = 256 * 1024;

/** Reads one file from its start, piece by piece, keeping the place and the splitter between readings. */
export interface FileReader {
  readonly splitter: Splitter;
  /** The next bytes, unpacked; null at the end of what is there now. Throws what the system or zlib says. */
  read(): Promise<Buffer | null>;
  close(): void;
}

/** How much of a file is taken at once. */
export interface ReadingLimits {
  /** Longest single value, bytes. */
  readonly valueBytes: number;
  /** Bytes of one reading. */
  readonly chunkBytes: number;
}

/** Opens nothing yet. */
export function createFileReader(fullPath: string, limits: ReadingLimits): FileReader {
  const { valueBytes } = limits;
  const chunkBytes = Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, limits.chunkBytes));
  const plainName = fullPath.replace(/\.gz$/, "");
  const splitter = plainName.endsWith(".json") ? jsonSplitter(valueBytes) : new LineSplitter(valueBytes);
  const bytes =
    plainName === fullPath ? plainBytes(fullPath, chunkBytes) : unpackedBytes(fullPath, chunkBytes);
  return { splitter, ...bytes };
}

/** Holds no handle between readings, so thousands of files may be followed. A reading that failed may be made again. */
function plainBytes(fullPath: string, chunkBytes: number): Pick<FileReader, "read" | "close"> {
  let at = 0;
  return {
    read: async () => {
      const chunk = await chunkAt(fullPath, chunkBytes, at);
      at += chunk.length;
      return chunk.length === 0 ? null : chunk;
    },
    close: () => {},
  };
}

async function chunkAt(fullPath: string, chunkBytes: number, at: number): Promise<Buffer> {
  const handle = await open(fullPath);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function unpackedBytes(fullPath: string, chunkBytes: number): Pick<FileReader, "read" | "close"> {
  let chunks: AsyncIterator<Buffer> | null = null;
  let close = (): void => {};
  return {
    read: async () => {
      if (chunks === null) {
        const packed = createReadStream(fullPath, { highWaterMark: chunkBytes });
        const unpacked = createGunzip({ chunkSize: chunkBytes });
        packed.on("error", (error) => unpacked.destroy(error));
        close = () => {
          packed.destroy();
          unpacked.destroy();
        };
        chunks = packed.pipe(unpacked)[Symbol.asyncIterator]();
      }
      const next = await chunks.next();
      return next.done === true ? null : next.value;
    },
    close: () => close(),
  };
}
