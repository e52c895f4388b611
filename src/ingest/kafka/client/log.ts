import type { Log } from "../../../log.ts";

/** What the client library reports. */
export interface ClientEntry {
  readonly namespace: string;
  readonly level: number;
  readonly log: Readonly<Record<string, unknown>>;
}

/** Levels of the client library's log. */
const WARN = 2;

/** What of an entry's facts is passed on: names and numbers, never records, settings or stacks. */
const FACTS = ["broker", "groupId", "memberId", "topic", "partition", "offset", "retryCount", "retryTime"];

/**
 * Passes on what the client library says, its errors as warnings: each of them is met again as a failure of ours, or repaired by itself. Its
 * information (every pause and resume) is left out.
 */
export function clientLog(log: Log): (entry: ClientEntry) => void {
  return ({ namespace, level, log: entry }) => {
    if (level > WARN) return;
    const facts: Record<string, unknown> = { from: namespace };
    for (const name of FACTS) if (entry[name] !== undefined) facts[name] = entry[name];
    if (typeof entry["error"] === "string") facts["reason"] = entry["error"];
    log.warn(`kafka: ${String(entry["message"])}`, facts);
  };
}
