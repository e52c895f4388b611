import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadPlan } from "../../src/plan/load.ts";
import { camelCase, graphqlNames, isReservedType, typeName } from "../../src/plan/names.ts";

const plan = loadPlan(readFileSync("pipelines/banking.yaml", "utf8"), "banking.yaml");

test.each([
  ["number_of_online_txns", "numberOfOnlineTxns"],
  ["onlineTransactions", "onlineTransactions"],
  ["IBAN", "iban"],
  ["ID_CARD", "idCard"],
  ["__op", "op"],
  ["Customer", "customer"],
])("%s is %s in GraphQL", (name, expected) => {
  expect(camelCase(name)).toBe(expected);
});

test("types are the same names with a capital", () => {
  expect(typeName("card_transactions")).toBe("CardTransactions");
});

test("the file's own choices come before made names", () => {
  const names = graphqlNames(plan);
  expect(names.table("card_transactions")).toMatchObject({
    field: "cardTransactions",
    type: "CardTransaction",
  });
  expect(names.column("patterns", "number_of_concert_tickets")).toBe("concertTickets");
  expect(names.column("accounts", "opened_on")).toBe("openedOn");
  expect(names.column("accounts", "id")).toBe("databaseId");
  expect(names.segment("engagement")).toEqual({ field: "engagement", type: "Engagement" });
  expect(names.tier("engagement", "UNKNOWN")).toBe("UNKNOWN");
});

test("every type the schema has by itself is reserved", () => {
  const own = new Set(plan.tables.map(({ name }) => graphqlNames(plan).table(name).type));
  const segments = new Set(plan.segments.map(({ name }) => `${graphqlNames(plan).segment(name).type}Tier`));
  const printed = readFileSync("test/schema.graphql", "utf8");
  const types = [...printed.matchAll(/^(?:type|input|enum|interface|union|scalar) (\w+)/gm)].map(
    ([, name = ""]) => name,
  );
  expect(types.length).toBeGreaterThan(40);
  const stem = (type: string): string => type.replace(/(Connection|Edge|Filter|Order|Comparison)$/, "");
  const free = types.filter(
    (type) => !own.has(stem(type)) && !segments.has(stem(type)) && !isReservedType(type),
  );
  expect(free).toEqual([]);
});
