import { describe, expect, test } from "vitest";
import { check } from "../../src/cdc/check.ts";
import { createDecoder } from "../../src/cdc/decode.ts";
import type { Expectation, ExpectationAction } from "../../src/cdc/table.ts";
import type { Change } from "../../src/cdc/change.ts";
import { column, record, table } from "./tables.ts";

const rule = (name: string, action: ExpectationAction, holds: boolean): Expectation => ({
  name,
  action,
  holds: () => holds,
});
const plan = (...expectations: Expectation[]) => table("t", [column("id", "int")], { expectations });

function change(op: "c" | "d"): Change {
  const value = { op, before: null, after: op === "c" ? { id: 1 } : null, source: { lsn: 1 } };
  const decoded = createDecoder([plan()])(record("t", { id: 1 }, value));
  if (decoded.kind !== "change") throw new Error(JSON.stringify(decoded));
  return decoded.change;
}

describe("check", () => {
  const upsert = change("c");
  const broken = (action: ExpectationAction, name: string = action): Expectation => rule(name, action, false);

  test("a change that violates nothing is kept", () => {
    expect(check(upsert, plan(rule("ok", "fail", true)))).toEqual({ kind: "kept", warned: [] });
  });

  test("rules with warn only count", () => {
    expect(check(upsert, plan(broken("warn", "a"), broken("warn", "b")))).toEqual({
      kind: "kept",
      warned: ["a", "b"],
    });
  });

  test("the strongest violated action wins: fail, quarantine, drop, warn", () => {
    const all = [broken("warn"), broken("drop"), broken("quarantine"), broken("fail")];
    expect(check(upsert, plan(...all))).toEqual({ kind: "failed", rules: ["fail"], warned: ["warn"] });
    expect(check(upsert, plan(...all.slice(0, 2)))).toEqual({
      kind: "dropped",
      rules: ["drop"],
      warned: ["warn"],
    });
  });

  test("a refusal names every rule the record violates", () => {
    const rules = [broken("warn"), rule("held", "quarantine", true), broken("drop"), broken("quarantine")];
    expect(check(upsert, plan(...rules))).toEqual({
      kind: "refused",
      refusal: {
        code: "expectation",
        reason: "violates quarantine of table t",
        rules: ["warn", "drop", "quarantine"],
      },
      warned: ["warn"],
    });
  });

  test("a delete is never held against a rule: it carries no values", () => {
    expect(check(change("d"), plan(broken("fail")))).toEqual({ kind: "kept", warned: [] });
  });

  test("a rule is not violated by a value that the source withheld, only by one that is missing or null", () => {
    const columns = [column("id", "int"), column("notes", "text")];
    const present: Expectation = {
      name: "notes_present",
      action: "quarantine",
      holds: (values) => (values["notes"] ?? null) !== null,
    };
    const notes = table("t", columns, { expectations: [present] });
    const checked = (after: Record<string, unknown>) => {
      const value = { op: "u", before: null, after: { id: 1, ...after }, source: { lsn: 1 } };
      const decoded = createDecoder([notes])(record("t", { id: 1 }, value));
      if (decoded.kind !== "change") throw new Error(JSON.stringify(decoded));
      return check(decoded.change, notes).kind;
    };
    expect(checked({ notes: "__debezium_unavailable_value" })).toBe("kept");
    expect(checked({ notes: null })).toBe("refused");
    expect(checked({})).toBe("refused");
  });
});
