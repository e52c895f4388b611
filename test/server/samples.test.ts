import { parse, validate } from "graphql";
import { expect, test } from "vitest";
import type { Plan } from "../../src/customer/plan.ts";
import { buildSchema } from "../../src/schema/schema.ts";
import { validationRules } from "../../src/server/limits.ts";
import { sampleOperations } from "../../src/server/samples.ts";
import { bank } from "../resolvers/bank.ts";

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

test("the first one shows metrics of the pipeline", () => {
  expect(sampleOperations(buildSchema(bank))[0]?.query).toContain("metrics { spendTotal payments }");
});
