import type { Customer, Note, Rows } from "./customer.ts";

/** True when a document shows a live row, its own or one that is noted of its pages. */
export function hasLiveRow({ tables, notes }: Customer): boolean {
  for (const table in tables) if (isAnyLive(tables[table])) return true;
  for (const table in notes) {
    const pages = notes[table];
    for (const page in pages) if ((pages[page]?.liveRows ?? 0) > 0) return true;
  }
  return false;
}

/** True when one of the rows is live. */
export function isAnyLive(rows: Rows | undefined): boolean {
  for (const key in rows) if (rows[key]?.live === true) return true;
  return false;
}

/** How many of the rows are live. */
export function countLive(rows: Rows | undefined): number {
  let count = 0;
  for (const key in rows) if (rows[key]?.live === true) count += 1;
  return count;
}

/** How many live rows are noted of a paged table. */
export function countNoted(pages: Readonly<Record<string, Note>> | undefined): number {
  let count = 0;
  for (const page in pages) count += pages[page]?.liveRows ?? 0;
  return count;
}
