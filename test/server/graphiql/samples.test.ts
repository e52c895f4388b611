import { readFileSync } from "node:fs";
import { parse, validate } from "graphql";
import { expect, test } from "vitest";
import type { Plan } from "../../../src/customer/plan.ts";
import { loadPlan } from "../../../src/plan/load.ts";
import { buildSchema } from "../../../src/schema/schema.ts";
import { validationRules } from "../../../src/server/rules.ts";
import { sampleOperations } from "../../../src/server/graphiql/samples.ts";
import { bank } from "../../resolvers/bank.ts";

const bare: Plan = { ...bank, metrics: [], segments: [], offers: [] };

test.each([
  ["a full pipeline", bank],
  ["a pipeline of tables alone", bare],
])("every ready-made operation is valid on %s", (_, plan) => {
  const schema = buildSchema(plan);
  for (const { query } of sampleOperations(schema)) {
    expect(validate(schema, parse(query), validationRules)).toEqual([]);
  }
});

test("the first one shows who the customers are, and metrics of the pipeline", () => {
  const query = sampleOperations(buildSchema(bank))[0]?.query.replace(/\s+/g, " ");
  expect(query).toContain("register { fullName");
  expect(query).toContain("metrics { spendTotal payments }");
});

test("no line of the shipped pipeline's is wider than 60 characters", () => {
  const plan = loadPlan(readFileSync("pipelines/banking.yaml", "utf8"), "banking.yaml");
  const operations = sampleOperations(buildSchema(plan));
  expect(operations[0]?.query).toMatch(/customers \{\n +fullName\n/);
  const lines = operations.flatMap(({ query, variables = "" }) => [...query.split("\n"), variables]);
  expect(lines.filter((line) => line.length > 60)).toEqual([]);
});
