import type { Change, SourceRecord } from "../cdc/change.ts";
import { check } from "../cdc/check.ts";
import { createDecoder } from "../cdc/decode.ts";
import { listOf } from "../cdc/made-change.ts";
import { apply } from "../customer/apply.ts";
import { newCustomer } from "../customer/customer.ts";
import type { Customer, Page, Row, Rows } from "../customer/customer.ts";
import type { Plan } from "../customer/plan.ts";

const BATCH = 1_000;
const NOW_MS = 1_800_000_000_000;

/** One object without rows for all pages that have none of the rows asked for. */
const NO_ROWS: Rows = Object.freeze({});

/** The pure path over maps: what ingest costs before any store, stream or source. */
export class MemoryIngest {
  readonly #plan: Plan;
  readonly #decode;
  readonly #customers = new Map<string, Customer>();
  /** Rows of paged tables by table and key; no row of the benchmark changes its customer. */
  readonly #rows: ReadonlyMap<string, Map<string, Row>>;
  #applied = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#decode = createDecoder(plan.tables);
    this.#rows = new Map(plan.tables.map(({ name }) => [name, new Map<string, Row>()]));
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
      if (changes === undefined) byCustomer.set(decoded.change.customerId, listOf(decoded.change));
      else changes.push(decoded.change);
    }
    for (const [customerId, changes] of byCustomer) this.#apply(customerId, changes);
  }

  #apply(customerId: string, changes: readonly Change[]): void {
    const customer = this.#customers.get(customerId) ?? newCustomer(customerId);
    const pages = this.#load(customer, changes);
    const applied = apply({ customer, pages, changes, truncates: NO_TRUNCATES, nowMs: NOW_MS }, this.#plan);
    if (applied.needsWhole.length > 0) throw new Error("the benchmark's metrics never need whole pages");
    for (const { verdict } of applied.judged) if (verdict === "applied") this.#applied += 1;
    for (const { after, rows } of applied.pages) {
      const stored = this.#rowsOf(after.table);
      for (const key in rows) stored.set(key, rows[key] as Row);
    }
    if (applied.customer !== customer)
      this.#customers.set(customerId, {
        ...applied.customer,
        outbox: NOTHING_TO_TELL,
      });
  }

  #rowsOf(table: string): Map<string, Row> {
    const rows = this.#rows.get(table);
    if (rows === undefined) throw new Error(`no table ${table}`);
    return rows;
  }

  /** The pages of the changes, each with the rows of their keys; what else a page says, its note says as well. */
  #load({ customerId, notes }: Customer, changes: readonly Change[]): readonly Page[] {
    const loaded: Page[] = [];
    for (const { table, page } of changes) {
      if (page === null || loaded.some((known) => known.page === page && known.table === table)) continue;
      const { revision, totals, liveRows } = notes[table]?.[page] ?? UNKNOWN;
      const rows = this.#rowsAt(table, page, changes);
      loaded.push({
        customerId,
        table,
        page,
        revision,
        totals,
        liveRows,
        rows,
        whole: false,
      });
    }
    return loaded;
  }

  #rowsAt(table: string, page: string, changes: readonly Change[]): Rows {
    const stored = this.#rowsOf(table);
    let rows: Record<string, Row> | null = null;
    for (const change of changes) {
      if (change.page !== page || change.table !== table) continue;
      const row = stored.get(change.key);
      if (row === undefined) continue;
      rows ??= Object.create(null) as Record<string, Row>;
      rows[change.key] = row;
    }
    return rows ?? NO_ROWS;
  }
}

const NO_TRUNCATES = {};
const NOTHING_TO_TELL: Customer["outbox"] = [];
const UNKNOWN = { revision: 0, totals: {}, liveRows: 0 };
