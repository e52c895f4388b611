import { describe, expect, test } from "vitest";
import { outcomesSince, outcomeTable } from "../../src/cli/summary.ts";
import type { Counts } from "../../src/store/reads.ts";

const counts = (applied: number, refused: number): Counts => ({
  customers: 1,
  tallies: [
    { table: "orders", kind: "verdict", label: "applied", count: applied },
    { table: "orders", kind: "conflict", label: "", count: 1 },
    { table: "", kind: "skip", label: "heartbeat", count: 4 },
  ],
  quarantined: [{ table: null, code: "unreadable", count: refused }],
});

describe("the summary of an ingest", () => {
  test("it counts what came since, and leaves out what did not", () => {
    expect(outcomesSince(counts(10, 0), counts(25, 2))).toEqual([
      { table: "(no table)", outcome: "quarantined unreadable", count: 2 },
      { table: "orders", outcome: "applied", count: 15 },
    ]);
  });

  test("it is aligned", () => {
    const before: Counts = { customers: 0, tallies: [], quarantined: [] };
    expect(outcomeTable(outcomesSince(before, counts(25, 2)))).toBe(
      [
        "(no table)   4  skipped heartbeat",
        "(no table)   2  quarantined unreadable",
        "orders      25  applied",
        "orders       1  tie conflict",
        "",
      ].join("\n"),
    );
  });
});
