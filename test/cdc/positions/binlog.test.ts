import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binlogComponents, binlogOf } from "../../../src/cdc/positions/binlog.ts";
import { createDecoder } from "../../../src/cdc/decode.ts";
import { column, table } from "../../helpers/history-plan.ts";
import { textRecord } from "../../helpers/memory-source.ts";

const accounts = table("accounts", {
  sequence: { kind: "log" },
  columns: [column("id", "int"), column("customer_id", "text"), column("balance", "int")],
});

/** A change as the MariaDB connector sends it. */
const sent = (source: object, op = "u") =>
  textRecord(
    { topic: "accounts", offset: 1 },
    JSON.stringify({ op, before: null, after: { id: 1, customer_id: "7", balance: 2 }, source, ts_ms: 5 }),
  );
const positions = (source: object, op?: string) =>
  (["sliced", "full"] as const).map((reading) => {
    const decoded = createDecoder([accounts], reading)(sent(source, op));
    return decoded.kind === "change"
      ? decoded.change.position
      : decoded.kind === "refused" && decoded.refusal.code;
  });

describe("the log of MySQL and MariaDB", () => {
  test("places sort by number of the file, place in it, row", () => {
    const place = fc.record({
      file: fc.nat({ max: 2_000_000 }),
      pos: fc.bigInt({ min: 0n, max: 2n ** 63n }),
      row: fc.nat({ max: 12 }),
    });
    const text = ({ file, pos, row }: { file: number; pos: bigint; row: number }) => {
      const name = `mysql-bin.${String(file).padStart(6, "0")}`;
      return binlogComponents({ file: name, pos: String(pos), row }) ?? "";
    };
    fc.assert(
      fc.property(place, place, (a, b) => {
        const order = a.file - b.file || (a.pos < b.pos ? -1 : a.pos > b.pos ? 1 : 0) || a.row - b.row;
        expect(Math.sign(text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0)).toBe(Math.sign(order));
      }),
    );
  });

  test("both ways of reading give the same position, and it rises with the log", () => {
    const [early, same] = positions({ file: "bin.999999", pos: 400, row: 0, ts_ms: 5 });
    const [late] = positions({ file: "bin.1000000", pos: 4, row: 0, ts_ms: 5 });
    const [next] = positions({ file: "bin.1000000", pos: 4, row: 1, ts_ms: 5 });
    expect(same).toBe(early);
    expect([late, next, early].sort()).toEqual([early, late, next]);
  });

  test("a row of a snapshot stands below a change at its place, and one of an incremental snapshot below everything", () => {
    const [streamed] = positions({ file: "bin.1", pos: 4, row: 0 });
    const [snapshot] = positions({ file: "bin.1", pos: 4, row: 0, snapshot: "true" }, "r");
    const [incremental, again] = positions({ file: "", pos: 0, row: 0, snapshot: "incremental" }, "r");
    expect(again).toBe(incremental);
    expect([streamed, incremental, snapshot].sort()).toEqual([incremental, snapshot, streamed]);
  });

  test.each([
    { file: "bin", pos: 4 },
    { file: "bin.1" },
    { file: "bin.1", pos: "x" },
    { file: 1, pos: 4 },
    {},
  ])("a change without a whole place (%j) is refused", (source) => {
    expect(positions(source)).toEqual(["missing-sequence", "missing-sequence"]);
  });

  test("what names no file has no place", () => {
    for (const source of [undefined, null, {}, { file: "" }, { file: 7 }])
      expect(binlogOf(source)).toBeUndefined();
  });
});
