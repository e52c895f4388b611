import type { ColumnType } from "../../src/cdc/table.ts";
import type { TablePlan } from "../../src/cdc/table.ts";
import type { PageChange } from "../../src/customer/applied.ts";
import type { Announcement, Customer, Page, Row, Rows, Update } from "../../src/customer/customer.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { MetricType, Plan } from "../../src/customer/plan.ts";
import type { CustomerSave, Save } from "../../src/store/store.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";

/** Documents, pages and updates made by hand for the contracts of the ports: nothing here judges or derives. */

function table(
  name: string,
  shape: Pick<TablePlan, "key" | "customer" | "rows" | "storage"> & {
    readonly columns: Record<string, ColumnType>;
  },
): TablePlan {
  return {
    name,
    topics: [name],
    format: "flat",
    ...shape,
    columns: Object.entries(shape.columns).map(([column, type]) => ({
      ...{ name: column, type, list: false, scale: null, unit: null, format: null },
      encoding: "base64",
      description: null,
    })),
    sequence: { kind: "log" },
    epoch: 0,
    ops: new Map(),
    deleteWhen: null,
    truncateWhen: null,
    ignoreNulls: new Set(),
    appendOnly: false,
    expectations: [],
  };
}

const METRICS: Readonly<Record<string, MetricType>> = {
  visits: "int",
  ratio: "float",
  balance: "decimal",
  biggest: "bigint",
  city: "text",
  seenAt: "timestamp",
  active: "boolean",
};

const never = { holds: () => false, explain: () => "" };

/** A pipeline with a table of each kind, a metric of each type, a tiered and a plain segment. */
export const SHAPES: Plan = {
  name: "shapes",
  description: "",
  tables: [
    table("profile", {
      ...{ key: ["id"], customer: "id", rows: "one", storage: { kind: "inline" } },
      columns: { id: "text", name: "text", age: "int", limit: "decimal", since: "date" },
    }),
    table("accounts", {
      ...{ key: ["id"], customer: "owner", rows: "many", storage: { kind: "inline" } },
      columns: { id: "bigint", owner: "text" },
    }),
    table("payments", {
      ...{ key: ["id"], customer: "owner", rows: "many" },
      storage: { kind: "paged", column: "at", period: "month" },
      columns: { id: "bigint", owner: "text", at: "timestamp", amount: "decimal" },
    }),
  ],
  metrics: Object.entries(METRICS).map(([name, type]) => ({
    ...{ kind: "expression", name, description: "", type, scale: 2 },
    evaluate: () => null,
  })),
  segments: [
    {
      name: "spending",
      description: "",
      when: null,
      tiers: [{ name: "GOLD", when: never }],
      otherwise: "BASIC",
    },
    { name: "vip", description: "", when: never, tiers: [], otherwise: null },
  ],
  offers: [],
  version: "1",
};

/** A row at a position. */
export function row(at: string, values: Row["values"] = {}, live = true): Row {
  return {
    at,
    live,
    values: live ? values : {},
    origin: { topic: "t", partition: 0, offset: "9007199254740993" },
  };
}

/** A customer at its first revision, with what is given. */
export function customer(customerId: string, parts: Partial<Customer> = {}): Customer {
  return { ...newCustomer(customerId), revision: 1, ...parts };
}

/** The next revision of a customer, with what is given. */
export function next(before: Customer, parts: Partial<Customer> = {}): Customer {
  return { ...before, revision: before.revision + 1, ...parts };
}

/** What a revision announces. */
export function announcement(customerId: string, revision: number): Announcement {
  return {
    ...{ customerId, revision, changed: ["profile"], offers: [{ offer: "o", from: null, to: "TRIGGERED" }] },
    segments: [{ segment: "spending", from: null, to: "GOLD" }],
    freshness: { sourceMs: 1, ingestedMs: null, appliedMs: 3 },
  };
}

/** An update of a customer that holds one row. */
export function update(customerId: string, revision: number): Update {
  const document = customer(customerId, { revision, tables: { profile: { '["a"]': row(`p${revision}`) } } });
  return { ...announcement(customerId, revision), customer: document };
}

/** A page that does not exist yet. */
export function newPage(customerId: string, page: string): Page {
  return {
    customerId,
    table: "payments",
    page,
    revision: 0,
    totals: {},
    liveRows: 0,
    rows: {},
    whole: false,
  };
}

/** A page with more rows, one revision on. */
export function pageChange(before: Page, rows: Rows): PageChange {
  const all = { ...before.rows, ...rows };
  const liveRows = Object.values(all).filter(({ live }) => live).length;
  const after = {
    ...before,
    revision: before.revision + 1,
    rows: all,
    liveRows,
    totals: { n: { count: liveRows } },
  };
  return { before, after, rows };
}

/** A save of one customer. */
export function saving(before: Customer, after: Customer, parts: Partial<CustomerSave> = {}): CustomerSave {
  return { before, after, pages: [], relay: false, ...parts };
}

/** A write of these customers and nothing else. */
export function write(...customers: readonly CustomerSave[]): Save {
  return { ...EMPTY_SAVE, customers };
}
