import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/cdc/decode.ts";
import type { Wanted } from "../../../src/cdc/reading/outline.ts";
import { Scanner } from "../../../src/cdc/reading/scanner.ts";
import { Stencils } from "../../../src/cdc/reading/stencils.ts";
import { column, record, table } from "../tables.ts";

const wanted: Wanted = new Map<string, number | Wanted>([
  ["before", new Map()],
  ["after", new Map([["id", 0]])],
  ["op", 1],
]);

function made(): Stencils {
  const scanner = new Scanner(Buffer.alloc(0));
  return new Stencils(wanted, { empty: [undefined, undefined], asDigits: [false, false], scanner });
}

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const like = (id: unknown, at: number): Buffer =>
  bytes({ before: null, after: { id, spare: [at, { at }] }, op: "c", ts_ms: at });

describe("records of a known shape", () => {
  test("are read by it once what varies was seen to vary", () => {
    const shapes = made();
    expect(shapes.read(like("a", 1), 0)).toBeNull();
    shapes.learn(like("a", 1), 0);
    expect(shapes.read(like("b", 1), 0)).toEqual(["b", "c"]);
    expect(shapes.read(like("b", 2), 0)).toBeNull();
    shapes.learn(like("b", 2), 0);
    expect(shapes.read(like(null, 123_456), 0)).toEqual([null, "c"]);
    expect(shapes.read(like({ of: [1.5] }, 7), 0)?.[0]).toBeDefined();
  });

  test("are whole: what is cut off, doubled or goes on after its end has another shape", () => {
    const shapes = made();
    shapes.learn(like("a", 1), 0);
    const known = like("a", 1);
    for (let end = 0; end < known.length; end++) expect(shapes.read(known.subarray(0, end), 0)).toBeNull();
    expect(shapes.read(Buffer.concat([known, Buffer.from("}")]), 0)).toBeNull();
    expect(shapes.read(Buffer.concat([known, known]), 0)).toBeNull();
  });

  test("never have something else in place of a missing old row", () => {
    const shapes = made();
    shapes.learn(like("a", 1), 0);
    shapes.learn(bytes({ before: 5, after: { id: "a", spare: [1, { at: 1 }] }, op: "c", ts_ms: 1 }), 0);
    expect(
      shapes.read(bytes({ before: 6, after: { id: "a", spare: [1, { at: 1 }] }, op: "c", ts_ms: 1 }), 0),
    ).toBeNull();
  });

  test("are looked for behind an embedded schema", () => {
    const shapes = made();
    const wrapped = (id: string): Buffer =>
      Buffer.concat([Buffer.from(',"payload":'), like(id, 1), Buffer.from("}")]);
    shapes.learn(wrapped("a"), 1);
    expect(shapes.read(Buffer.concat([Buffer.from("x"), wrapped("b")]), 1)).toBeNull();
    const whole = (id: string): Buffer => Buffer.concat([Buffer.from('{"schema":{}'), wrapped(id)]);
    shapes.learn(whole("a"), 12);
    expect(shapes.read(whole("b"), 12)).toEqual(["b", "c"]);
  });

  test("are not taken for records when they are the rest of a wrapper, nor the other way round", () => {
    const shapes = made();
    const rest = (id: string): Buffer =>
      Buffer.concat([Buffer.from(',"payload":'), like(id, 1), Buffer.from("}")]);
    const behindSchema = (end: Buffer): Buffer => Buffer.concat([Buffer.from('{"schema":{}'), end]);
    shapes.learn(behindSchema(rest("a")), 12);
    shapes.learn(like("a", 1), 0);
    expect(shapes.read(behindSchema(rest("b")), 12)).toEqual(["b", "c"]);
    expect(shapes.read(like("b", 1), 0)).toEqual(["b", "c"]);
    expect(shapes.read(rest("b"), 0)).toBeNull();
    expect(shapes.read(behindSchema(like("b", 1)), 12)).toBeNull();
  });

  test("that never settle are given up, and learned from again after many others", () => {
    const shapes = made();
    for (let index = 0; index < 64; index++) shapes.learn(bytes({ [`name${index}`]: 1 }), 0);
    shapes.learn(like("a", 1), 0);
    expect(shapes.read(like("b", 1), 0)).toBeNull();
    for (let index = 0; index < 256; index++) shapes.learn(like("a", 1), 0);
    expect(shapes.read(like("b", 1), 0)).toEqual(["b", "c"]);
  });
});

const columns = [
  column("id", "bigint"),
  column("name", "text"),
  column("amount", "decimal", { scale: 2 }),
  column("count", "int"),
  column("at", "timestamp"),
  column("flag", "boolean"),
  column("profile", "json"),
];
const plan = table("t", columns, { topics: ["t"], customer: "name" });

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom(
    "plain",
    'with "quotes" and \\',
    "Jörg Müller",
    "Łódź",
    "\ud800",
    "\u0080\u00ff",
    "x".repeat(5_000),
  ),
);
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(null, true, false, 0, 999_999_999_999_999, -999_999_999_999_999, 9_007_199_254_740_991),
  fc.constantFrom("12.50", "-0.10", "007", "2026-01-01T00:00:05.000Z", "2026-02-30T00:00:00Z", "1e2"),
);
const values = fc.record({
  row: fc.record({
    id: scalar,
    name: text,
    amount: scalar,
    count: scalar,
    at: scalar,
    flag: scalar,
    profile: fc.jsonValue(),
  }),
  lsn: fc.oneof(fc.integer({ min: 0 }), scalar),
  op: fc.constantFrom<unknown>("c", "u", "r", "d", "m", 5, null),
  extra: scalar,
});

/** Decodes a record of one shape by a decoder that knows the shape, and in full. */
function bothWays(): (value: Buffer) => void {
  const sliced = createDecoder([plan]);
  const full = createDecoder([plan], "full");
  const decode = (value: Buffer): void => {
    const found = { ...record("t", { id: 1 }, {}), value };
    expect(sliced(found)).toEqual(full(found));
  };
  for (const at of [1, 2])
    decode(
      envelope({
        row: { id: at, name: "n", amount: "1.00", count: 1, at: null, flag: true, profile: null },
        lsn: at,
        op: "c",
        extra: at,
      }),
    );
  return decode;
}

function envelope({
  row,
  lsn,
  op,
  extra,
}: {
  row: unknown;
  lsn: unknown;
  op: unknown;
  extra: unknown;
}): Buffer {
  return bytes({ before: null, after: row, source: { extra, lsn, ts_ms: 5 }, op, ts_ms: extra });
}

test("a record of a known shape says what a full parse of it says, whatever its values", () => {
  const decode = bothWays();
  fc.assert(
    fc.property(values, (parts) => {
      decode(envelope(parts));
    }),
    { numRuns: 2_000 },
  );
});

test("bytes changed anywhere in a record of a known shape are judged as a full parse judges them", () => {
  const decode = bothWays();
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(255), (parts, place, byte) => {
      const value = envelope(parts);
      value[place % value.length] = byte;
      decode(value);
    }),
    { numRuns: 2_000 },
  );
});
