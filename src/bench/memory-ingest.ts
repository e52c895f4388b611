import type { Change, SourceRecord } from "../cdc/change.ts";
import { check } from "../cdc/check.ts";
import { createDecoder } from "../cdc/decode.ts";
import { apply } from "../customer/apply.ts";
import { newCustomer } from "../customer/customer.ts";
import type { Customer, Page, PageRef, Row } from "../customer/customer.ts";
import type { Plan } from "../customer/plan.ts";

const BATCH = 1_000;
const NOW_MS = 1_800_000_000_000;

interface StoredPage {
  header: Omit<Page, "rows" | "whole">;
  readonly rows: Map<string, Row>;
}

/** The pure path over maps: what ingest costs before any store, stream or source. */
export class MemoryIngest {
  readonly #plan: Plan;
  readonly #decode;
  readonly #customers = new Map<string, Customer>();
  readonly #pages = new Map<string, StoredPage>();
  #applied = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#decode = createDecoder(plan.tables);
  }

  /** Changes that counted so far; repeats and late ones do not. */
  get applied(): number {
    return this.#applied;
  }

  /** The document of a customer, or null when nothing was applied to it. */
  customer(customerId: string): Customer | null {
    return this.#customers.get(customerId) ?? null;
  }

  /** Applies records in batches, every change of a customer in a batch at once. Answers how many records it took. */
  run(records: readonly SourceRecord[]): number {
    for (let start = 0; start < records.length; start += BATCH)
      this.#batch(records.slice(start, start + BATCH));
    return records.length;
  }

  #batch(records: readonly SourceRecord[]): void {
    const byCustomer = new Map<string, Change[]>();
    for (const record of records) {
      const decoded = this.#decode(record);
      if (decoded.kind !== "change" || decoded.change.customerId === null) continue;
      if (check(decoded.change, decoded.table).kind !== "kept") continue;
      const changes = byCustomer.get(decoded.change.customerId);
      if (changes === undefined) byCustomer.set(decoded.change.customerId, [decoded.change]);
      else changes.push(decoded.change);
    }
    for (const [customerId, changes] of byCustomer) this.#apply(customerId, changes);
  }

  #apply(customerId: string, changes: readonly Change[]): void {
    const customer = this.#customers.get(customerId) ?? newCustomer(customerId);
    const pages = this.#load(customerId, changes);
    const applied = apply({ customer, pages, changes, truncates: {}, nowMs: NOW_MS }, this.#plan);
    if (applied.needsWhole.length > 0) throw new Error("the benchmark's metrics never need whole pages");
    for (const { verdict } of applied.judged) if (verdict === "applied") this.#applied += 1;
    for (const { after, rows: changed } of applied.pages) {
      const { rows: _, whole: __, ...header } = after;
      const stored = this.#pages.get(idOf(after)) ?? { header, rows: new Map<string, Row>() };
      stored.header = header;
      for (const [key, row] of Object.entries(changed)) stored.rows.set(key, row);
      this.#pages.set(idOf(after), stored);
    }
    if (applied.customer !== customer) this.#customers.set(customerId, { ...applied.customer, outbox: [] });
  }

  #load(customerId: string, changes: readonly Change[]): readonly Page[] {
    const wanted = new Map<string, { readonly ref: PageRef; readonly keys: string[] }>();
    for (const { table, page, key } of changes) {
      if (page === null) continue;
      const ref = { customerId, table, page };
      const known = wanted.get(idOf(ref));
      if (known === undefined) wanted.set(idOf(ref), { ref, keys: [key] });
      else known.keys.push(key);
    }
    return [...wanted.values()].map(({ ref, keys }) => {
      const stored = this.#pages.get(idOf(ref));
      const rows: Record<string, Row> = {};
      for (const key of keys) {
        const row = stored?.rows.get(key);
        if (row !== undefined) rows[key] = row;
      }
      const header = stored?.header ?? { ...ref, revision: 0, totals: {}, liveRows: 0 };
      return { ...header, rows, whole: false };
    });
  }
}

function idOf({ customerId, table, page }: PageRef): string {
  return `${customerId} ${table} ${page}`;
}
