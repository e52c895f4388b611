import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Customer360Error } from "../errors.ts";
import { timeline, type Anchor, type Timeline } from "./timeline.ts";

/** Which bank a data directory holds. */
export interface BankSettings {
  readonly seed: number;
  readonly customers: number;
  /** Slots per second. */
  readonly rate: number;
}

/** What is on disk. `reserved`: slots below it may have been delivered, so their times are settled for good. */
interface Entry {
  readonly seed: number;
  readonly customers: number;
  readonly startMs: number;
  readonly anchors: readonly Anchor[];
  readonly reserved: number;
}

/** The bank's diary: when it began and how its time went on after each restart. */
export interface Journal {
  readonly startMs: number;
  readonly timeline: Timeline;
  /** Settles the times of all slots below this one before they are delivered. */
  reserve(slot: number): void;
}

/** Slots are reserved for so many seconds ahead, so that the file is not written for each of them. */
const RESERVE_AHEAD_S = 5;

function read(path: string): Entry | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Entry;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new Customer360Error("SOURCE_UNAVAILABLE", `demo: ${path} cannot be read; --fresh starts over`, {
      cause: error,
    });
  }
}

function write(path: string, entry: Entry): void {
  writeFileSync(`${path}.new`, JSON.stringify(entry));
  renameSync(`${path}.new`, path);
}

/** The anchors for going on now: a new one where the time of the slots would otherwise lie in the past or run at another rate. */
function resumed(entry: Entry, rate: number, nowMs: number): readonly Anchor[] {
  const settledMs = timeline(entry.anchors).ms(entry.reserved);
  const unchanged = settledMs >= nowMs && entry.anchors.at(-1)?.rate === rate;
  if (unchanged) return entry.anchors;
  return [...entry.anchors, { slot: entry.reserved, ms: Math.max(nowMs, settledMs), rate }];
}

/** Reads what the path holds, if anything. Throws SETTINGS_INVALID when that is another bank. */
function ours(path: string, { seed, customers }: BankSettings): Entry | null {
  const found = read(path);
  if (found !== null && (found.seed !== seed || found.customers !== customers)) {
    throw new Customer360Error(
      "SETTINGS_INVALID",
      `the data directory holds a bank of ${found.customers} customers with seed ${found.seed}, not ${customers} with seed ${seed}; --fresh starts over`,
    );
  }
  return found;
}

/** Throws what opening the journal would, and leaves it alone: whoever asks for another bank is told before anything is served. */
export function guardJournal(path: string, settings: BankSettings): void {
  ours(path, settings);
}

/** Opens the journal at a path, or begins one. Throws SETTINGS_INVALID when the path holds another bank. */
export function openJournal(path: string, settings: BankSettings, nowMs: number): Journal {
  const { seed, customers, rate } = settings;
  const found = ours(path, settings);
  let entry: Entry = found ?? {
    seed,
    customers,
    startMs: nowMs,
    anchors: [{ slot: customers, ms: nowMs, rate }],
    reserved: customers,
  };
  entry = { ...entry, anchors: resumed(entry, rate, nowMs) };
  write(path, entry);
  return {
    startMs: entry.startMs,
    timeline: timeline(entry.anchors),
    reserve(slot) {
      if (slot <= entry.reserved) return;
      entry = { ...entry, reserved: slot + Math.ceil(rate * RESERVE_AHEAD_S) };
      write(path, entry);
    },
  };
}
