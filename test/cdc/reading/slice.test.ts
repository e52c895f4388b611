import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/cdc/decode.ts";
import type { TablePlan } from "../../../src/cdc/table.ts";
import { captured, capturedTables, column, record, table } from "../tables.ts";

const columns = [
  column("id", "bigint"),
  column("customer_id", "text"),
  column("name", "text"),
  column("amount", "decimal", { scale: 2 }),
  column("at", "timestamp", { unit: "us" }),
  column("profile", "json"),
  column("tags", "text", { list: true }),
];
const shared: Partial<TablePlan> = {
  topics: ["t"],
  customer: "customer_id",
  ops: new Map([["i", "upsert"]]),
  ignoreNulls: new Set(["name"]),
};
const tables: Record<"debezium" | "flat" | "ordered", TablePlan> = {
  debezium: table("t", columns, shared),
  flat: table("t", columns, { ...shared, format: "flat" }),
  ordered: table("t", columns, {
    ...shared,
    sequence: { kind: "columns", columns: ["at", "id"] },
    storage: { kind: "paged", column: "at", period: "day" },
    deleteWhen: (row) => row["name"] === "gone",
    truncateWhen: (row) => row["name"] === "all gone",
  }),
};

/** Both ways of reading; the sliced decoder lives on, so that what it learned from one record meets the next. */
function bothWays(plan: TablePlan): (key: unknown, value: unknown) => void {
  const sliced = createDecoder([plan]);
  const full = createDecoder([plan], "full");
  return (key, value) => {
    const found = record("t", key, value);
    expect(sliced(found)).toEqual(full(found));
  };
}

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    '"after":{"id":1}',
    ',"op":"d"',
    "\\",
    '\\"',
    '"',
    "}",
    "é",
    "😀",
    "\ufffd",
    "\u0000",
    "__proto__",
  ),
  fc.constantFrom(
    "gone",
    "all gone",
    "__debezium_unavailable_value",
    "",
    "schema",
    "payload",
    "a rather longer text",
  ),
);
/** Numbers by their digits: written without quotes. */
const digits = fc.constantFrom(
  "0",
  "-0",
  "7",
  "7.50",
  "1e2",
  "9007199254740993",
  "1711852200000001",
  "-12.345",
  "1E400",
);
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
const leaf = fc.oneof(
  hostile,
  digits.map((text) => new Raw(text)),
  fc.boolean(),
  fc.constant(null),
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(hostile, fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxKeys: 3 }),
  },
);
const nonsense = fc.dictionary(
  fc.constantFrom("x", "é", "after", "id", "toString", "__proto__", "schema"),
  value,
  { maxKeys: 3 },
);

/** Members in any order, some of them missing, some twice. */
type Members = readonly (readonly [string, unknown])[];
const shuffled = (members: Members): fc.Arbitrary<Members> =>
  fc
    .tuple(fc.shuffledSubarray([...members], { minLength: Math.max(0, members.length - 2) }), fc.boolean())
    .map(([some, twice]) => (twice && some[0] !== undefined ? [...some, some[0]] : some));
const inOrder = (members: Members): fc.Arbitrary<Members> => fc.constant(members);
const arranged = (members: Members): fc.Arbitrary<Members> =>
  fc.oneof({ weight: 3, arbitrary: inOrder(members) }, { weight: 1, arbitrary: shuffled(members) });

const goodRow: fc.Arbitrary<Members> = fc
  .record({
    id: fc.oneof(fc.nat(9), fc.constant(new Raw("9007199254740993"))),
    customer_id: fc.oneof(fc.nat(9), hostile),
    name: fc.oneof(hostile, fc.constant(null)),
    amount: fc.oneof(fc.constantFrom("1.50", "2", "-0.01", new Raw("12.5")), fc.constant(null)),
    at: fc.oneof(
      fc.constant(new Raw("1711852200000001")),
      fc.constant("2024-05-17T10:00:00Z"),
      fc.constant(null),
    ),
    profile: fc.oneof(hostile, nonsense),
    tags: fc.oneof(fc.array(hostile, { maxLength: 3 }), fc.constant(null)),
  })
  .map(Object.entries);
const wildRow = fc.array(
  fc.tuple(fc.constantFrom("id", "customer_id", "name", "é", "at", "__op", "__deleted"), value),
  { maxLength: 7 },
);
const row = fc
  .oneof({ weight: 4, arbitrary: goodRow.chain(arranged) }, { weight: 1, arbitrary: wildRow })
  .map((m) => new Pairs(m));

class Pairs {
  readonly members: Members;
  constructor(members: Members) {
    this.members = members;
  }
}

const source = fc
  .tuple(nonsense, digits, fc.boolean())
  .map(
    ([more, lsn, isNull]) =>
      new Pairs([
        ...Object.entries(more),
        ["ts_ms", 1_795_377_713_271],
        ["lsn", isNull ? null : new Raw(lsn)],
      ]),
  );
const envelope = fc
  .tuple(
    fc.option(row),
    fc.option(row),
    source,
    fc.constantFrom("c", "u", "r", "i", "d", "t", "m", "?"),
    nonsense,
  )
  .chain(([before, after, src, op, more]) =>
    arranged([
      ["before", before],
      ["after", after],
      ["source", src],
      ...Object.entries(more),
      ["op", op],
      ["ts_ms", 1],
    ]),
  )
  .map((members) => new Pairs(members));
const schema = fc.constantFrom(
  null,
  {},
  "text",
  {
    type: "struct",
    fields: [
      {
        type: "struct",
        field: "after",
        fields: [
          {
            type: "bytes",
            name: "org.apache.kafka.connect.data.Decimal",
            parameters: { scale: "2" },
            field: "amount",
          },
        ],
      },
    ],
  },
  {
    type: "struct",
    fields: [
      { type: "int64", field: "id" },
      { type: "int64", name: "io.debezium.time.MicroTimestamp", field: "at", default: 0 },
    ],
  },
);
const wrapped = (inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    inner,
    fc
      .tuple(schema, inner)
      .map(([s, it]) => (it instanceof Pairs ? new Pairs([["schema", s], ...it.members]) : it)),
    fc
      .tuple(schema, inner)
      .chain(([s, payload]) =>
        arranged([
          ["schema", s],
          ["payload", payload],
        ]),
      )
      .map((m) => new Pairs(m)),
    fc
      .tuple(schema, inner)
      .chain(([s, payload]) =>
        arranged([
          ["payload", payload],
          ["schema", s],
          ["processingTime", 12],
        ]),
      )
      .map((m) => new Pairs(m)),
  );
const key = fc.oneof(
  fc.constant(null),
  fc.constant("3f2c7a0e"),
  wrapped(
    fc.oneof(
      row,
      fc.nat(9).map((id) => new Pairs([["id", id]])),
    ),
  ).map(write),
);
const space = fc.constantFrom("", "", "", " ", "\n\t ");

/** JSON text of members in their order, with white space between the tokens. */
function write(json: unknown, gap = ""): string {
  if (json instanceof Raw) return json.text;
  if (json instanceof Pairs) return writeMembers(json.members, gap);
  if (Array.isArray(json)) return `[${json.map((one) => write(one, gap)).join(`${gap},${gap}`)}]`;
  if (typeof json === "object" && json !== null) return writeMembers(Object.entries(json), gap);
  return JSON.stringify(json);
}

function writeMembers(members: Members, gap: string): string {
  const written = members.map(
    ([name, one]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${write(one, gap)}${gap}`,
  );
  return `${gap}{${written.join(",")}${gap}}${gap}`;
}

describe("reading by slices", () => {
  const runs = { numRuns: 1_500 };

  test.each(["debezium", "ordered"] as const)("a %s record says what a full parse of it says", (name) => {
    const compare = bothWays(tables[name]);
    fc.assert(
      fc.property(key, wrapped(envelope), space, (k, v, gap) => compare(k, write(v, gap))),
      runs,
    );
  });

  test("a flat record says what a full parse of it says", () => {
    const compare = bothWays(tables.flat);
    fc.assert(
      fc.property(key, wrapped(row), space, (k, v, gap) => compare(k, write(v, gap))),
      runs,
    );
  });

  test("bytes changed, cut or doubled anywhere are judged as a full parse judges them, and never throw", () => {
    const originals = [...captured("postgres-schema"), ...captured("postgres-plain")].filter(
      ({ topic, value: bytes }) => /accounts$|customers$/.test(topic) && (bytes?.length ?? 0) < 20_000,
    );
    const sliced = createDecoder(capturedTables);
    const full = createDecoder(capturedTables, "full");
    const piece = fc.constantFrom(
      '"',
      "\\",
      "{",
      "}",
      "[",
      ",",
      ":",
      "0",
      "-",
      "\u0000",
      "é",
      '"after":null,',
      '"op":"d",',
    );
    const edit = fc.tuple(
      fc.nat(20_000),
      fc.nat(12),
      fc.oneof(
        piece.map((p) => Buffer.from(p)),
        fc.uint8Array({ maxLength: 3 }),
      ),
    );
    const mutate = (bytes: Uint8Array, edits: readonly [number, number, Uint8Array][]): Uint8Array =>
      edits.reduce<Uint8Array>((text, [where, removed, added]) => {
        const at = where % (text.length + 1);
        return Buffer.concat([text.subarray(0, at), added, text.subarray(at + removed)]);
      }, bytes);
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (one, edits, inKey) => {
          const changed = inKey
            ? { ...one, key: mutate(one.key ?? Buffer.alloc(0), edits) }
            : { ...one, value: mutate(one.value ?? Buffer.alloc(0), edits) };
          expect(sliced(changed)).toEqual(full(changed));
        },
      ),
      runs,
    );
  });

  test.each([
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    "tru",
    "nulll",
    '"\\x"',
    '"\\u12G4"',
    '"\t"',
    '"',
    "[1,]",
    "{,}",
    "[1 2]",
    '{"a"}',
    "",
    "NaN",
  ])("what is not JSON is refused wherever it stands: %s", (fault) => {
    const compare = bothWays(tables.debezium);
    const good = '{"id":1,"customer_id":1,"name":"a","x":1}';
    for (const bad of ["id", "name", "x"]) {
      const row = good.replace(new RegExp(`"${bad}":[^,}]+`), `"${bad}":${fault}`);
      for (const value of [
        `{"before":${row},"after":${good},"op":"u"}`,
        `{"before":null,"after":${row},"op":"u"}`,
      ]) {
        const sliced = createDecoder([tables.debezium])(record("t", null, value));
        expect(sliced).toMatchObject({ kind: "refused", refusal: { code: "unreadable" } });
        compare({ id: 1 }, value);
      }
    }
  });

  test("an envelope that is half outside its wrapper is what the full parse makes of it", () => {
    const compare = bothWays(tables.debezium);
    const members = ['"before":{"id":2}', '"after":{"id":1,"name":"a"}', '"source":{"lsn":5}', '"op":"u"'];
    for (const [place, outside] of members.entries()) {
      const inside = members.filter((_, other) => other !== place).join();
      for (const schema of ["", '"schema":{},']) {
        compare(null, `{${schema}${outside},"payload":{${inside}}}`);
        compare(null, `{${schema}"payload":{${inside}},${outside}}`);
      }
    }
  });

  test("random bytes are an answer, never an exception", () => {
    const decoders = Object.values(tables).map((plan) => createDecoder([plan]));
    fc.assert(
      fc.property(fc.option(fc.uint8Array()), fc.option(fc.uint8Array()), (k, v) => {
        for (const decode of decoders)
          expect(["change", "skip", "refused"]).toContain(decode(record("t", k, v)).kind);
      }),
      runs,
    );
  });

  test("a record without anything unusual never takes the full parse", () => {
    const records = [...captured("postgres-schema"), ...captured("postgres-plain")].filter(
      ({ topic, value: bytes }) => /accounts$|customers$/.test(topic) && bytes !== null,
    );
    const decode = createDecoder(capturedTables);
    const parse = JSON.parse;
    records.forEach(decode);
    let parsed = 0;
    JSON.parse = (text: string): unknown => {
      if (text.length > 400) parsed++;
      return parse(text);
    };
    try {
      records.forEach(decode);
    } finally {
      JSON.parse = parse;
    }
    expect(parsed).toBe(0);
  });
});
