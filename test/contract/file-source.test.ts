import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileSource } from "../../src/ingest/files/source.ts";
import { manualClock } from "../helpers/manual-clock.ts";
import { sourceContract, type Origins } from "./source.contract.ts";

/** A folder with one file per partition, of captured records. */
async function folder(extension: string, pack: (text: string) => string | Uint8Array): Promise<Origins> {
  const dir = await mkdtemp(join(tmpdir(), "customer360-source-"));
  const clock = manualClock();
  const written = new Map<number, number>();
  return {
    append: async (partition, records) => {
      let offset = written.get(partition) ?? 0;
      const lines = records.map(
        (one) => `${JSON.stringify({ topic: "t", partition, offset: offset++, ...one })}\n`,
      );
      written.set(partition, offset);
      await appendFile(join(dir, `part-${partition}${extension}`), pack(lines.join("")));
    },
    open: async (options) => fileSource({ dir, tables: [], clock, pollMs: 100, settleMs: 1_000, ...options }),
    wait: () => clock.advance(100),
    close: () => rm(dir, { recursive: true, force: true }),
  };
}

sourceContract("file source, lines", () => folder(".ndjson", (text) => text));
sourceContract("file source, json", () => folder(".json", (text) => text));
// Packed members may be appended to each other: together they are one packed file.
sourceContract("file source, packed lines", () => folder(".ndjson.gz", (text) => gzipSync(text)));
