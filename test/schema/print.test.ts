import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lexicographicSortSchema, printSchema } from "graphql";
import { expect, test } from "vitest";
import { loadPlan } from "../../src/plan/load.ts";
import { buildSchema } from "../../src/schema/schema.ts";

test("the schema of the shipped pipeline is the committed one", async () => {
  const pipeline = join(import.meta.dirname, "../../pipelines/banking.yaml");
  const schema = buildSchema(loadPlan(readFileSync(pipeline, "utf8"), pipeline));
  await expect(
    `${printSchema(lexicographicSortSchema(schema))}\n`,
    "regenerate with `npm run schema:print`, and look at the difference",
  ).toMatchFileSnapshot("../schema.graphql");
});
