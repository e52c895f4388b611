import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pipelineJsonSchema } from "../../src/plan/schema.ts";

test("the committed JSON Schema is current", () => {
  const committed: unknown = JSON.parse(readFileSync("pipelines/pipeline.schema.json", "utf8"));
  expect(pipelineJsonSchema()).toEqual(committed);
});

test("every key an editor may offer is explained", () => {
  const silent: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if (key !== "properties") visit(value, path);
      else {
        for (const [name, property] of Object.entries(value as Record<string, object>)) {
          if (!("description" in property)) silent.push(`${path}.${name}`);
          visit(property, `${path}.${name}`);
        }
      }
    }
  };
  visit(pipelineJsonSchema(), "");
  expect(silent).toEqual([]);
});
