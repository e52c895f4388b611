import type { Customer } from "../../customer/customer.ts";
import { NOBODY } from "../../customer/customer.ts";
import type { Sqlite } from "../../embedded/database.ts";
import { tierOf } from "../facts.ts";

/** Counts listed customers by segment and tier; the pair ("", "") counts them all. */
export interface Members {
  /** A customer came onto the lists. */
  enter(customer: Customer): void;
  /** A listed customer changed. */
  move(before: Customer, after: Customer): void;
  /** Writes what was counted; once per transaction. */
  settle(): void;
  /** Forgets what was counted and not written, when a transaction begins anew. */
  discard(): void;
}

/** Member counts in SQLite; each count that moved is written once per transaction, however many customers moved it. */
export function sqliteMembers(db: Sqlite, segments: readonly string[]): Members {
  const counts = new Map<string, { readonly segment: string; readonly tier: string; by: number }>();
  const count = (segment: string, tier: string | undefined, by: number): void => {
    if (tier === undefined || tier === "OUT") return;
    const name = JSON.stringify([segment, tier]);
    const found = counts.get(name);
    if (found === undefined) counts.set(name, { segment, tier, by });
    else found.by += by;
  };
  return {
    enter(customer) {
      if (customer.customerId === NOBODY) return;
      count("", "", 1);
      for (const segment of segments) count(segment, tierOf(customer, segment), 1);
    },
    move(before, after) {
      if (before.segments === after.segments || after.customerId === NOBODY) return;
      for (const segment of segments) {
        const [from, to] = [tierOf(before, segment), tierOf(after, segment)];
        if (from === to) continue;
        count(segment, from, -1);
        count(segment, to, 1);
      }
    },
    settle() {
      const upsert = db.prepare(
        `INSERT INTO members (segment, tier, customers) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET customers = customers + excluded.customers`,
      );
      for (const { segment, tier, by } of counts.values()) if (by !== 0) upsert.run(segment, tier, by);
      counts.clear();
    },
    discard: () => counts.clear(),
  };
}
