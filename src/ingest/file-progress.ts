import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { createGunzip } from "node:zlib";
import { LineSplitter, type Splitter } from "./file-lines.ts";
import { jsonSplitter } from "./file-values.ts";

/** A file of the watched folder as it was found last. */
export interface Found {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly inode: number;
  readonly modifiedMs: number;
}

/** The files that hold changes, subfolders included, by name. Hidden ones are passed over, others' names are not looked at. */
export async function findFiles(dir: string): Promise<readonly Found[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && FILE_NAME.test(entry.name))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")))
    .sort();
  const found: Found[] = [];
  for (const path of paths) {
    const file = await stat(join(dir, path)).catch(() => null);
    if (file !== null) found.push({ path, bytes: file.size, inode: file.ino, modifiedMs: file.mtimeMs });
  }
  return found;
}

const FILE_NAME = /\.(json|ndjson|jsonl)(\.gz)?$/;
const CHUNK_BYTES = 256 * 1024;

/** Reads one file from its start, piece by piece, keeping the place and the splitter between readings. */
export interface FileReader {
  readonly splitter: Splitter;
  /** The next bytes, unpacked; null at the end of what is there now. */
  read(): Promise<Buffer | null>;
  close(): void;
}

/** Opens nothing yet. `maxBytes` bounds a single value. */
export function createFileReader(fullPath: string, maxBytes: number): FileReader {
  const plainName = fullPath.replace(/\.gz$/, "");
  const splitter = plainName.endsWith(".json") ? jsonSplitter(maxBytes) : new LineSplitter(maxBytes);
  return { splitter, ...(plainName === fullPath ? plainBytes(fullPath) : unpackedBytes(fullPath)) };
}

/** Holds no handle between readings, so thousands of files may be followed. */
function plainBytes(fullPath: string): Pick<FileReader, "read" | "close"> {
  let at = 0;
  return {
    read: async () => {
      const handle = await open(fullPath);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at);
        at += bytesRead;
        return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    close: () => {},
  };
}

function unpackedBytes(fullPath: string): Pick<FileReader, "read" | "close"> {
  let chunks: AsyncIterator<Buffer> | null = null;
  let close = (): void => {};
  return {
    read: async () => {
      if (chunks === null) {
        const packed = createReadStream(fullPath, { highWaterMark: CHUNK_BYTES });
        const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
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
