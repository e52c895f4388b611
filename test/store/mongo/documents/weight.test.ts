import { expect, test } from "vitest";
import { createPageWeights, excessOfDocument } from "../../../../src/store/mongo/documents/weight.ts";
import { customer, newPage, next, pageChange, row } from "../../../contract/shapes.ts";

const MIB = 1024 * 1024;

/** So many rows of a mebibyte each. */
const rows = (count: number, from = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [String(from + at), row(String(at), { name: "x".repeat(MIB) })]),
  );

test("a document that would weigh more than twelve mebibytes is refused, with what it would weigh", () => {
  const before = customer("ann", { tables: { accounts: rows(11) } });
  const after = next(before, { tables: { accounts: { ...before.tables["accounts"], ...rows(1, 11) } } });
  expect(excessOfDocument(before, before)).toBeNull();
  expect(excessOfDocument(before, after)).toBe(
    "the document of its customer would have 12.0 MiB, more than the 12.0 that are kept in one",
  );
});

test("one that is too large already may still become smaller, and not larger", () => {
  const before = customer("ann", { tables: { accounts: rows(14) } });
  const smaller = next(before, { tables: { accounts: rows(13) } });
  expect(excessOfDocument(before, smaller)).toBeNull();
  expect(excessOfDocument(smaller, before)).toContain("14.0 MiB");
});

test("a document weighs the same whether its parts were weighed before or not", () => {
  const before = customer("ann", { tables: { accounts: rows(13) }, metrics: { visits: 1 } });
  const fresh = structuredClone(before);
  const excess = excessOfDocument(customer("ann"), before);
  expect(excess).toContain("13.0 MiB");
  expect(excessOfDocument(customer("ann"), next(before))).toBe(excess);
  expect(excessOfDocument(customer("ann"), fresh)).toBe(excess);
});

test("a page weighs what it weighed and what changes", () => {
  const weights = createPageWeights();
  const page = newPage("ann", "2026-01");
  weights.note(page, 11 * MIB);
  expect(weights.excess(pageChange(page, rows(0)))).toBeNull();
  expect(weights.excess(pageChange(page, rows(1)))).toBe(
    "page 2026-01 of payments of its customer would have 12.0 MiB, more than the 12.0 that are kept in one",
  );
});
