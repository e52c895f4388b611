import { expect, test } from "vitest";
import { namesake, strangerReason } from "../../../src/ingest/files/names.ts";
import { world } from "../world.ts";

const [one] = world.tables;
if (one === undefined) throw new Error("the world has no table");
const table = (name: string, ...topics: string[]) => ({ ...one, name, topics });
const tables = [
  table("policies", "ins.public.policies", "ins.archive.policies"),
  table("ins", "ins"),
  table("claims", "ins.public.claims"),
  table("claims2", "ins.public.claims-late"),
  table("t1", "t1"),
];
const found = (path: string) => {
  const named = namesake(path, tables);
  return named === null ? null : `${named.table.name} ${named.topic}`;
};

test.each([
  ["policies.ndjson", "policies ins.public.policies"],
  ["policies-2.ndjson", "policies ins.public.policies"],
  ["policies2.ndjson", "policies ins.public.policies"],
  ["policies_2.json", "policies ins.public.policies"],
  ["deep/er/policies.2024.jsonl.gz", "policies ins.public.policies"],
  ["ins.public.policies.ndjson", "policies ins.public.policies"],
  ["ins.archive.policies.ndjson", "policies ins.archive.policies"],
  ["ins.public.policies-2024.ndjson.gz", "policies ins.public.policies"],
])("%s is named after %s", (path, named) => {
  expect(found(path)).toBe(named);
});

test.each([
  ["claims2.ndjson", "claims2 ins.public.claims-late"],
  ["claims3.ndjson", "claims ins.public.claims"],
  ["ins.public.claims-late.json", "claims2 ins.public.claims-late"],
  ["ins.2.json", "ins ins"],
])("of several names the longest counts: %s", (path, named) => {
  expect(found(path)).toBe(named);
});

test.each([
  "policy.ndjson",
  "policies_archive.ndjson",
  "oldpolicies.ndjson",
  "t10.ndjson",
  "x/ins/2024.json",
])("%s is named after nothing", (path) => {
  expect(found(path)).toBeNull();
});

test("a stranger is told what there is", () => {
  expect(strangerReason("policy.ndjson", tables.slice(2, 3))).toBe(
    "file policy.ndjson is named after no table or topic; tables are claims (ins.public.claims)",
  );
});
