import fc from "fast-check";
import type { Value } from "../../src/cdc/change.ts";
import type { Customer, Rows } from "../../src/customer/customer.ts";
import type { ComparedAs } from "../../src/customer/values/compare.ts";
import type { Comparison, CustomerFilter, FieldRef } from "../../src/customer/values/filter.ts";
import { customer, row, SHAPES } from "./shapes.ts";

/** Generated documents, filters and orders over the fields of SHAPES, with few distinct values so that they meet. */

const TEXTS = ["", "a", "A", "ab", "b", "ü", "\uffee", "🏦", "a\u0000b", "2024-01-01T00:00:00Z"];
const DECIMALS = [
  "0",
  "-0.00",
  "1.5",
  "1.50",
  "-1.5",
  "-1.25",
  "10",
  "9.99",
  "100000000000000000000.01",
  "1e3",
  "NaN",
  "Infinity",
  "-Infinity",
];
const BIGINTS = [
  "0",
  "-1",
  "9007199254740993",
  "9007199254740992",
  "-9007199254740993",
  "18446744073709551616",
];
const NUMBERS: readonly Value[] = [0, -0, 1, -1, 0.1, 1e300, -5e-324, "NaN", "Infinity", "-Infinity"];

const INSTANTS = [
  "2024-01-01T00:00:00Z",
  "2024-01-01T00:00:00.5Z",
  "2024-01-01T00:00:00.05Z",
  "2024-01-01T00:00:01Z",
  "-000044-03-15T00:00:00Z",
  "-000043-03-15T00:00:00Z",
  "+010000-01-01T00:00:00Z",
  "infinity",
  "-infinity",
];

interface Field {
  readonly ref: FieldRef;
  readonly values: readonly Value[];
}

const metric = (name: string, as: ComparedAs, values: readonly Value[]): Field => ({
  ref: { kind: "metric", name, as },
  values,
});
const column = (name: string, as: ComparedAs, values: readonly Value[]): Field => ({
  ref: { kind: "column", table: "profile", column: name, as },
  values,
});

/** Every field of SHAPES, with the values it takes here. */
export const FIELDS: readonly Field[] = [
  metric("visits", "number", [0, 1, 2, -3]),
  metric("ratio", "number", NUMBERS),
  metric("balance", "decimal", DECIMALS),
  metric("biggest", "decimal", BIGINTS),
  metric("city", "text", TEXTS),
  metric("seenAt", "timestamp", INSTANTS),
  metric("active", "boolean", [true, false]),
  column("name", "text", TEXTS),
  column("age", "number", [1, 20, 300]),
  column("limit", "decimal", DECIMALS),
  column("since", "timestamp", ["2024-01-01", "2023-12-31", "-000044-03-15", "infinity", "-infinity"]),
];

const PLAIN: Field = { ref: { kind: "id" }, values: ["a", "b", "ü", "🏦", "\uffee"] };

const valueOf = (field: Field) => fc.option(fc.constantFrom(...field.values), { nil: null });

/** A document with this id; sometimes without rows, sometimes with departed ones only. */
export function documents(customerId: string): fc.Arbitrary<Customer> {
  const fields = Object.fromEntries(FIELDS.map((field, index) => [String(index), valueOf(field)]));
  return fc
    .record({
      values: fc.record(fields),
      absent: fc.subarray(FIELDS.map((_, index) => index)),
      rows: fc.constantFrom("live", "dead", "none"),
      spending: fc.constantFrom("GOLD", "BASIC", null),
      vip: fc.constantFrom("IN", "OUT", null),
    })
    .map(({ values, absent, rows, spending, vip }) => {
      const of = (kind: "metric" | "column") =>
        Object.fromEntries(
          FIELDS.flatMap(({ ref }, index) =>
            ref.kind !== kind || absent.includes(index)
              ? []
              : [
                  [
                    ref.kind === "metric" ? ref.name : ref.kind === "column" ? ref.column : "",
                    values[String(index)] ?? null,
                  ],
                ],
          ),
        );
      const state = { previousTier: null, enteredMs: 1, because: "" };
      return customer(customerId, {
        tables: {
          // Keeps every document on the lists, whatever its profile holds.
          accounts: { '["1"]': row("1") },
          ...(rows === "none" ? {} : { profile: { '["x"]': row("1", of("column"), rows === "live") } }),
        },
        metrics: of("metric"),
        segments: {
          ...(spending === null ? {} : { spending: { ...state, state: "IN", tier: spending } }),
          ...(vip === null ? {} : { vip: { ...state, state: vip === "IN" ? "IN" : "OUT", tier: null } }),
        },
      });
    });
}

function tests(field: Field): fc.Arbitrary<Comparison> {
  const value = valueOf(field);
  const common: fc.Arbitrary<Comparison>[] = [
    fc.record({ op: fc.constantFrom("eq", "ne", "lt", "lte", "gt", "gte"), value }),
    fc.record({ op: fc.constant("in"), values: fc.array(value, { maxLength: 3 }) }),
    fc.record({ op: fc.constant("isNull"), value: fc.boolean() }),
  ];
  const text = fc.record({ op: fc.constantFrom("contains", "startsWith"), value: fc.constantFrom(...TEXTS) });
  const isText = field.ref.kind === "id" || field.ref.as === "text";
  return fc.oneof(...common, ...(isText ? [text] : []));
}

/** Any filter over the fields and segments of SHAPES. */
export const filters: fc.Arbitrary<CustomerFilter> = fc.letrec<{ filter: CustomerFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc
      .constantFrom(...FIELDS, PLAIN)
      .chain((field) =>
        tests(field).map((test): CustomerFilter => ({ kind: "field", field: field.ref, test })),
      ),
    fc.record({
      kind: fc.constant("segment"),
      segment: fc.constantFrom(...SHAPES.segments.map(({ name }) => name)),
      in: fc.subarray(["GOLD", "BASIC", "IN", "OUT"]),
    }),
    fc.record({ kind: fc.constantFrom("and", "or"), filters: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("not"), filter: tie("filter") }),
  ),
})).filter;

/** Any order. */
export const orders = fc.record({
  field: fc.constantFrom(PLAIN, ...FIELDS).map(({ ref }) => ref),
  direction: fc.constantFrom("asc" as const, "desc" as const),
});

/** Names and texts that mean something to a database, to JavaScript, or to nobody. */
export const HOSTILE_TEXTS: readonly string[] = [
  ...[
    "",
    "$where",
    "$expr",
    "$function",
    "$set",
    "$",
    "a.b",
    ".",
    "..",
    "%",
    "%0024",
    "'; --",
    "x".repeat(2_000),
  ],
  ...["__proto__", "constructor", "prototype", "toString", "_id", "0", "-1", "null"],
  ...["\u0000", "a\u0000b", "\u0001", "\ud800", "\udc00\ud800", "🏦", "\uffff", "\ufff0\ufff2", 'ü\n\r\t"\\'],
];

const hostileTexts = fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: "binary", maxLength: 8 }));
const hostileValues: fc.Arbitrary<Value> = fc.oneof(
  hostileTexts,
  fc.constantFrom<Value>(true, false, null, 0, -1, 0.1, 1e300, 2 ** 40, "9007199254740993", "-0.00"),
  fc.array(hostileTexts, { maxLength: 3 }),
);

/** Rows whose keys and values hold anything a payload can. */
export const hostileRows: fc.Arbitrary<Rows> = fc.dictionary(
  hostileTexts.map((text) => `["${text}"]`),
  fc
    .record({
      at: fc.integer({ min: 1, max: 9 }),
      live: fc.boolean(),
      name: hostileValues,
      age: hostileValues,
    })
    .map(({ at, live, name, age }) => row(String(at), { name, age }, live)),
  { maxKeys: 5 },
);

/** What payloads put into the other parts of a document. */
export const hostileParts: fc.Arbitrary<Partial<Customer>> = fc.record({
  tables: fc.record({ accounts: hostileRows, profile: hostileRows }, { requiredKeys: [] }),
  totals: fc.dictionary(hostileTexts, fc.integer({ min: 1, max: 9 }), { maxKeys: 4 }).map((values) => ({
    payments: { kinds: { count: 1, values } },
  })),
  history: fc.record({ visits: hostileValues, city: hostileValues }, { requiredKeys: [] }),
  metrics: fc.record(
    { visits: hostileValues, city: hostileValues, balance: hostileValues },
    { requiredKeys: [] },
  ),
  dueMs: fc.option(fc.integer({ min: 1, max: 2 ** 42 }), { nil: null }),
});
