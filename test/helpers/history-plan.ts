import type { ColumnPlan, ColumnType, TablePlan } from "../../src/cdc/table.ts";
import type { CustomerCondition, OfferPlan, Plan, RowMetric, Scope } from "../../src/customer/plan.ts";

/** A declared column, with everything else at its plainest. */
export function column(name: string, type: ColumnType, scale: number | null = null): ColumnPlan {
  return { name, type, list: false, scale, unit: null, format: null, encoding: "base64", description: null };
}

/** An inline many-row table of whole rows, unless told otherwise. */
export function table(name: string, given: Partial<TablePlan> = {}): TablePlan {
  return {
    name,
    topics: [name],
    format: "debezium",
    key: ["id"],
    customer: "customer_id",
    columns: [],
    sequence: { kind: "columns", columns: ["seq"] },
    epoch: 0,
    ops: new Map(),
    deleteWhen: null,
    truncateWhen: null,
    ignoreNulls: new Set(),
    rows: "many",
    storage: { kind: "inline" },
    appendOnly: false,
    expectations: [],
    ...given,
  };
}

/** A metric over live rows. */
export function metric(
  name: string,
  given: Pick<RowMetric, "table" | "function"> & Partial<RowMetric>,
): RowMetric {
  return {
    kind: "rows",
    name,
    description: "",
    type: "int",
    column: null,
    filter: null,
    over: "current",
    scale: 0,
    ...given,
  };
}

/** A condition over a customer. */
export function condition(holds: (scope: Scope) => boolean): CustomerCondition {
  return { holds, explain: ({ metrics }) => JSON.stringify(metrics) };
}

/** An offer that stands for ever, for everyone. */
export function offer(name: string, given: Pick<OfferPlan, "trigger"> & Partial<OfferPlan>): OfferPlan {
  return {
    name,
    title: name,
    description: "",
    eligibility: null,
    expiresAfterMs: null,
    reason: () => `earned ${name}`,
    ...given,
  };
}

const number = (value: unknown): number => (value === null || value === undefined ? NaN : Number(value));

const paged = { table: "payments" } as const;

/** A plan with an inline one-row table, an inline and a paged many-row one, and a metric of every function over each kind. */
export const historyPlan: Plan = {
  name: "history",
  description: "",
  version: "1",
  tables: [
    table("profile", {
      rows: "one",
      columns: [column("tickets", "int"), column("name", "text"), column("seen", "timestamp")],
    }),
    table("accounts", { columns: [column("balance", "decimal", 2), column("kind", "enum")] }),
    table("payments", {
      storage: { kind: "paged", column: "posted", period: "month" },
      columns: [column("amount", "decimal", 2), column("category", "text"), column("posted", "timestamp")],
    }),
  ],
  metrics: [
    metric("firstSeen", {
      table: "profile",
      function: "min",
      column: "seen",
      over: "history",
      type: "timestamp",
    }),
    metric("lastSeen", {
      table: "profile",
      function: "max",
      column: "seen",
      over: "history",
      type: "timestamp",
    }),
    metric("tickets", { table: "profile", function: "latest", column: "tickets" }),
    metric("accounts", { table: "accounts", function: "count" }),
    metric("deposits", { table: "accounts", function: "sum", column: "balance", type: "decimal", scale: 2 }),
    metric("richest", { table: "accounts", function: "max", column: "balance", type: "decimal", scale: 2 }),
    metric("payments", { ...paged, function: "count" }),
    metric("spent", { ...paged, function: "sum", column: "amount", type: "decimal", scale: 2 }),
    metric("spentOnFood", {
      ...paged,
      function: "sum",
      column: "amount",
      type: "decimal",
      scale: 2,
      filter: ({ category }) => category === "food",
    }),
    metric("mean", { ...paged, function: "average", column: "amount", type: "decimal", scale: 2 }),
    metric("least", { ...paged, function: "min", column: "amount", type: "decimal", scale: 2 }),
    metric("greatest", { ...paged, function: "max", column: "amount", type: "decimal", scale: 2 }),
    metric("categories", { ...paged, function: "distinct", column: "category" }),
    metric("newest", { ...paged, function: "latest", column: "category", type: "text" }),
    {
      kind: "expression",
      name: "wealth",
      description: "",
      type: "float",
      scale: 0,
      evaluate: ({ metrics }) => number(metrics.deposits) - number(metrics.spent),
    },
  ],
  segments: [
    {
      name: "engagement",
      description: "",
      tiers: [
        { name: "UNKNOWN", when: condition(({ metrics }) => metrics.tickets === null) },
        { name: "LOW", when: condition(({ metrics }) => number(metrics.tickets) <= 2) },
      ],
      otherwise: "HIGH",
      when: null,
    },
    {
      name: "named",
      description: "",
      tiers: [],
      otherwise: null,
      when: condition(({ rows, segments }) => rows.profile?.name === "ann" && segments.engagement !== "LOW"),
    },
  ],
  offers: [
    offer("crossed", {
      trigger: {
        kind: "crosses",
        table: "profile",
        condition: ({ tickets }) => number(tickets) >= 3,
        text: "tickets >= 3",
      },
      eligibility: condition(({ metrics }) => number(metrics.accounts) > 0),
    }),
    offer("spender", {
      trigger: { kind: "when", condition: condition(({ metrics }) => number(metrics.spent) > 3) },
    }),
  ],
};
