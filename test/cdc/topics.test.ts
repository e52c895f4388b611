import { describe, expect, test } from "vitest";
import { isPattern, ownerOfTopics, patternOf } from "../../src/cdc/topics.ts";

const owner = (name: string, ...topics: string[]) => ({ name, topics });

describe("topics", () => {
  const tableOf = ownerOfTopics([
    owner("all", "/bank\\..+/"),
    owner("accounts", "bank.accounts", "/old\\.(a|b)/"),
    owner("late", "/bank\\.l.+/"),
  ]);

  test.each([
    ["bank.accounts", "accounts"],
    ["bank.customers", "all"],
    ["bank.loans", "all"],
    ["old.a", "accounts"],
    ["old.ab", undefined],
    ["my.bank.x", undefined],
    ["/bank\\..+/", "all"],
    ["", undefined],
  ])("%s belongs to %s, whoever asks first or again", (topic, name) => {
    expect(tableOf(topic)?.name).toBe(name);
    expect(tableOf(topic)?.name).toBe(name);
  });

  test("a pattern is what stands between two slashes", () => {
    expect(["/a/", "//", "/a", "a/", "a"].map(isPattern)).toEqual([true, false, false, false, false]);
    expect(() => patternOf("/(/")).toThrow(SyntaxError);
  });
});
