import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { expect, test } from "vitest";
import { DEMO_QUERY, DEMO_SUBSCRIPTION } from "../../src/cli/demo.ts";

const schema = buildSchema(readFileSync("test/schema.graphql", "utf8"));

test.each([DEMO_QUERY, DEMO_SUBSCRIPTION])("what the demo offers to paste is valid: %s", (text) => {
  expect(validate(schema, parse(text))).toEqual([]);
});
