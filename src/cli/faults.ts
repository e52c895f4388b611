import { resolve } from "node:path";
import type { Unreadable } from "../ingest/source.ts";
import { grouped } from "./terminal.ts";

/** What could not be read, told in few lines. */
export interface Faults {
  add(found: Unreadable): void;
  /** One line per file and reason, with how often; no full stop. */
  lines(): readonly string[];
}

/** Counts unreadable records by their file and reason. */
export function createFaults(): Faults {
  const counts = new Map<string, number>();
  return {
    add({ origin, reason }) {
      const line = about(origin.topic, reason);
      counts.set(line, (counts.get(line) ?? 0) + 1);
    },
    lines: () => [...counts].map(([line, count]) => `${line} (${counted(count, "record")})`),
  };
}

/** `1 record`, `2,000 records`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Says of a folder that nothing in it is read, and what would be. */
export function noFiles(dir: string): string {
  return `no files of records in ${resolve(dir)}: looked for .json, .ndjson, .jsonl and .gz of these`;
}

/** The reason, with its file unless the reason names it already. */
function about(topic: string, reason: string): string {
  const path = topic.replace(/^file:/, "").replace(/#[0-9a-f]*$/, "");
  return reason.startsWith(`file ${path} `) ? reason : `file ${path}: ${reason}`;
}
