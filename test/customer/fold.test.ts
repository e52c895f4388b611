import { describe, expect, test } from "vitest";
import type { Change, Values } from "../../src/cdc/change.ts";
import type { Row } from "../../src/customer/customer.ts";
import { fold, type FoldedRow } from "../../src/customer/fold.ts";
import { headsBehind } from "../../src/customer/parts.ts";
import { change } from "../helpers/history.ts";

const at = (seq: number, given: Partial<Change> = {}): Change =>
  change({
    table: "t",
    position: `p${seq}`,
    origin: { topic: "t", partition: 0, offset: String(seq) },
    ...given,
  });
const upsert = (seq: number, set: Values, given: Partial<Change> = {}) => at(seq, { set, ...given });
const part = (seq: number, set: Values, given: Partial<Change> = {}) =>
  at(seq, { set, partial: true, ...given });
const remove = (seq: number, given: Partial<Change> = {}) => at(seq, { op: "delete", ...given });
const from = (partition: number, offset: number) => ({
  origin: { topic: "t", partition, offset: String(offset) },
});

/** Folds changes one after the other; the last outcome. */
function folded(...changes: readonly Change[]): FoldedRow {
  let outcome: FoldedRow = { row: undefined, verdict: "late", conflict: false };
  for (const one of changes) outcome = fold(outcome.row, one, undefined);
  return outcome;
}

const rowOf = (...changes: readonly Change[]): Row | undefined => folded(...changes).row;

describe("whole changes", () => {
  test("a newer change replaces the row, columns it lacks included", () => {
    expect(rowOf(upsert(1, { a: 1, b: 2 }), upsert(2, { a: 3 }))?.values).toEqual({ a: 3 });
  });

  test("a late change never replaces a newer row", () => {
    const { row, verdict } = folded(upsert(2, { a: 2 }), upsert(1, { a: 1 }));
    expect([row?.values, verdict]).toEqual([{ a: 2 }, "late"]);
  });

  test("a change seen again, where it was seen or later, is a duplicate and returns the very same row", () => {
    const row = rowOf(upsert(1, { a: [1, 2] }, from(0, 5)));
    for (const offset of [5, 6, 10]) {
      const again = fold(row, upsert(1, { a: [1, 2] }, from(0, offset)), undefined);
      expect(again).toEqual({ row, verdict: "duplicate", conflict: false });
      expect(again.row).toBe(row);
    }
  });

  test("a duplicate seen where it must have been first lowers the origin", () => {
    const { row, verdict } = folded(upsert(1, { a: 1 }, from(0, 10)), upsert(1, { a: 1 }, from(0, 9)));
    expect([row?.origin.offset, row?.parts, verdict]).toEqual(["9", undefined, "duplicate"]);
  });
});

describe("deletes", () => {
  test("a delete leaves the position that keeps late changes out", () => {
    const { row, verdict } = folded(upsert(1, { a: 1 }), remove(3), upsert(2, { a: 2 }));
    expect([row?.live, row?.at, row?.values, verdict]).toEqual([false, "p3", {}, "blocked-by-delete"]);
  });

  test("a delete that arrives first keeps the insert out", () => {
    expect(folded(remove(3), upsert(2, { a: 2 })).verdict).toBe("blocked-by-delete");
  });

  test("a newer insert brings a deleted row back with its own columns only", () => {
    expect(rowOf(upsert(1, { a: 1 }), remove(2), part(3, { b: 3 }))?.values).toEqual({ b: 3 });
  });

  test("a late delete does not remove a newer row", () => {
    const { row, verdict } = folded(upsert(3, { a: 3 }), remove(2));
    expect([row?.live, verdict]).toEqual([true, "late"]);
  });

  test("a late delete clears the columns that stood below it, and no others", () => {
    const { row, verdict } = folded(part(1, { a: 1 }), part(3, { b: 3 }), remove(2));
    expect([row?.values, verdict]).toEqual([{ b: 3 }, "applied"]);
  });

  test("a column that arrives below a delete stays out of the row that came after it", () => {
    const { row, verdict } = folded(remove(2), part(3, { b: 3 }), part(1, { a: 1 }));
    expect([row?.values, verdict]).toEqual([{ b: 3 }, "blocked-by-delete"]);
  });

  test("a delete repeated is a duplicate", () => {
    expect(folded(remove(2), remove(2)).verdict).toBe("duplicate");
  });
});

describe("partial changes", () => {
  test("a late change fills the columns that newer ones did not carry", () => {
    const { row, verdict } = folded(
      part(3, { name: "c" }),
      part(2, { status: "active" }),
      upsert(1, { name: "a", status: "new", x: 1 }),
    );
    expect([row?.values, verdict]).toEqual([{ name: "c", status: "active", x: 1 }, "applied"]);
  });

  test("each column has its own head", () => {
    const row = rowOf(upsert(1, { a: 1, b: 1, c: 1 }), part(3, { a: 3 }), part(2, { a: 2, b: 2 }));
    expect(row === undefined ? null : headsBehind(row)).toEqual({ b: "p2", c: "p1" });
  });

  test("a late change with nothing to fill is late and returns the very same row", () => {
    const row = rowOf(upsert(1, { a: 1, b: 1 }), part(3, { a: 3 }));
    const outcome = fold(row, part(2, { a: 2 }), undefined);
    expect([outcome.row === row, outcome.verdict]).toEqual([true, "late"]);
  });

  test("a whole change ends the row's being put together", () => {
    expect(rowOf(part(1, { a: 1 }), part(2, { b: 2 }), upsert(3, { a: 3, b: 3 }))?.parts).toBeUndefined();
  });

  test("what no column needs any more is forgotten", () => {
    const row = rowOf(...[1, 2, 3, 4, 5, 6].map((seq) => part(seq, { a: seq })));
    expect(row?.parts).toHaveLength(1);
  });

  test("a column set to null is carried; a column left out is not", () => {
    expect(rowOf(upsert(1, { a: 1, b: 1 }), part(2, { a: null }))?.values).toEqual({ a: null, b: 1 });
  });
});

describe("ties", () => {
  test("within a partition the later offset wins, and a conflict is told, in either order", () => {
    const first = upsert(1, { a: "z" }, from(0, 9));
    const second = upsert(1, { a: "b" }, from(0, 10));
    expect(folded(first, second)).toMatchObject({
      verdict: "applied",
      conflict: true,
      row: { values: { a: "b" } },
    });
    expect(folded(second, first)).toMatchObject({
      verdict: "late",
      conflict: true,
      row: { values: { a: "b" } },
    });
  });

  test("a content repeated later does not win by its repetition", () => {
    const first = upsert(1, { a: "z" }, from(0, 1));
    const second = upsert(1, { a: "b" }, from(0, 2));
    const again = upsert(1, { a: "z" }, from(0, 3));
    for (const order of [
      [first, second, again],
      [again, second, first],
      [second, again, first],
    ]) {
      expect(rowOf(...order)?.values).toEqual({ a: "b" });
    }
  });

  test("across partitions the greater content wins, whatever the offsets", () => {
    const one = upsert(1, { a: "y" }, from(0, 9));
    const other = upsert(1, { a: "x" }, from(1, 99));
    expect(rowOf(one, other)?.values).toEqual({ a: "y" });
    expect(rowOf(other, one)?.values).toEqual({ a: "y" });
  });

  test("a delete and an upsert at one position go by the same rule", () => {
    const insert = upsert(1, { a: 1 }, from(0, 1));
    const gone = remove(1, from(0, 2));
    expect([rowOf(insert, gone)?.live, rowOf(gone, insert)?.live]).toEqual([false, false]);
  });

  test("a tie behind the head is settled for the columns that still stand there", () => {
    const one = part(1, { a: "x", b: "x" }, from(0, 1));
    const other = part(1, { a: "y" }, from(0, 2));
    const newest = part(2, { c: 1 });
    for (const order of [
      [one, other, newest],
      [newest, other, one],
      [other, newest, one],
    ]) {
      expect(rowOf(...order)?.values).toEqual({ a: "y", b: "x", c: 1 });
    }
  });
});

describe("truncates", () => {
  test("what is below the watermark is blocked, what is at it or above counts", () => {
    expect(fold(undefined, upsert(2, { a: 1 }), "p3").verdict).toBe("blocked-by-truncate");
    expect(fold(undefined, upsert(3, { a: 1 }), "p3").verdict).toBe("applied");
  });

  test("a stored row below the watermark goes as soon as any change looks at it", () => {
    const row = rowOf(upsert(1, { a: 1 }));
    expect(fold(row, upsert(2, { a: 2 }), "p3").row).toBeUndefined();
  });

  test("columns below the watermark do not come back with a newer partial change", () => {
    const row = rowOf(upsert(1, { a: 1, b: 1 }));
    expect(fold(row, part(4, { b: 4 }), "p3").row?.values).toEqual({ b: 4 });
  });
});
