import { appendFile, mkdir, mkdtemp, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SourceRecord } from "../../../src/cdc/change.ts";
import { fileSource, type FileSourceOptions } from "../../../src/ingest/files/source.ts";
import type { Checkpoint, Source, SourceBatch, Unreadable } from "../../../src/ingest/source.ts";
import { manualClock, settle } from "../../helpers/manual-clock.ts";
import { world } from "../world.ts";

const FOREVER = new AbortController().signal;
const clock = manualClock();
let dir = "";
let opened: Source[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "customer360-files-"));
});

afterEach(async () => {
  for (const source of opened) await source.close();
  opened = [];
  await rm(dir, { recursive: true, force: true });
});

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), content);
}

function source(options: Partial<FileSourceOptions> = {}): Source {
  const made = fileSource({
    dir,
    tables: world.tables,
    clock,
    follow: false,
    pollMs: 100,
    settleMs: 1_000,
    ...options,
  });
  opened.push(made);
  return made;
}

interface Seen {
  readonly records: readonly SourceRecord[];
  readonly unreadable: readonly Unreadable[];
  readonly checkpoints: readonly Checkpoint[];
}

async function readAll(from: Source, checkpoints: readonly Checkpoint[] = []): Promise<Seen> {
  await from.start(async () => checkpoints);
  const batches: SourceBatch[] = [];
  const unreadable: Unreadable[] = [];
  for (let next = await from.next(FOREVER); next !== null; next = await from.next(FOREVER)) {
    batches.push(...next);
    unreadable.push(...from.unreadable());
  }
  return {
    records: batches.flatMap(({ records }) => records),
    unreadable,
    checkpoints: checkpointsOf(batches),
  };
}

const checkpointsOf = (batches: readonly SourceBatch[]): readonly Checkpoint[] =>
  batches.map(({ topic, partition, nextOffset }) => ({ topic, partition, nextOffset }));
/** The path a file's topic names; the topic ends in the hash of the file's head. */
const pathOf = (topic: string): string => topic.replace(/^file:(.*)#[0-9a-f]{16}$/, "$1");
const coordinatesOf = ({ records }: Seen): readonly string[] =>
  records.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`);
const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();
const values = ({ records }: Seen): readonly (string | null)[] => records.map(({ value }) => text(value));

/** What a following source brings within so many polls: values, or null when it is still waiting. */
function follower(from: Source): (polls: number) => Promise<readonly (string | null)[] | null> {
  const got: { batches: readonly SourceBatch[] | null } = { batches: null };
  let pending: Promise<void> | null = null;
  return async (polls) => {
    pending ??= from.next(FOREVER).then((batches) => {
      got.batches = batches ?? [];
    });
    for (let poll = 0; ; poll += 1) {
      while (got.batches === null && clock.sleepers() === 0) await settle(1);
      if (got.batches !== null || poll === polls) break;
      await clock.advance(100);
    }
    const { batches } = got;
    if (batches === null) return null;
    pending = null;
    got.batches = null;
    return batches.flatMap(({ records }) => records.map(({ value }) => text(value)));
  };
}

test("a bare line is a change of the table its file is named after, its line its offset", async () => {
  await put("ledger-2024.ndjson", '{"amount":1}\n\n{"amount":2}\n');
  await put("ledger.more.json", '{"amount":3}\n{"amount":4}');
  const seen = await readAll(source());
  expect(values(seen)).toEqual(['{"amount":1}', '{"amount":2}', '{"amount":3}', '{"amount":4}']);
  expect(seen.records.map(({ topic, offset, key }) => [topic, offset, key])).toEqual([
    ["ledger", "0", null],
    ["ledger", "2", null],
    ["ledger", "0", null],
    ["ledger", "1", null],
  ]);
  expect(new Set(seen.records.map(({ partition }) => partition)).size).toBe(2);
});

test("a captured record keeps its coordinates, time, headers and every byte of key and value; one without a time has that of its file", async () => {
  const big = '{"id":9007199254740993,  "x":1.10}';
  await put(
    "dump.ndjson",
    [
      `{"topic":"t","partition":3,"offset":"9007199254740993","timestamp":"1795377715031","key":"{\\"id\\":1}","value":${JSON.stringify(big)},"headers":{"h":"v"}}`,
      `{"topic":"t","partition":0,"offset":12,"tstype":"create","ts":1600000000000,"broker":0,"headers":["a","b"],"key":null,"payload":null}`,
      `{"topic":"t","partition":0,"offset":13,"key":{"id":9007199254740993},"value":${big}}`,
    ].join("\r\n"),
  );
  const { records } = await readAll(source());
  expect(records.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`)).toEqual([
    "t/3/9007199254740993",
    "t/0/12",
    "t/0/13",
  ]);
  expect(records.map(({ key }) => text(key))).toEqual(['{"id":1}', null, '{"id":9007199254740993}']);
  expect(records.map(({ value }) => text(value))).toEqual([big, null, big]);
  expect(records.map(({ headers }) => headers)).toEqual([{ h: "v" }, { a: "b" }, {}]);
  expect(records.map(({ timestampMs }) => timestampMs)).toEqual([
    1795377715031,
    1600000000000,
    Math.trunc((await stat(join(dir, "dump.ndjson"))).mtimeMs),
  ]);
});

test.each([
  ["an array", '[\n {"a":1},\n {"a":[2,"]"]} , {"a":{"b":"}\\""}}\n]\n'],
  ["values over several lines", '{"a":\n1}\n{"a":[2,"]"]}{"a":{"b":"}\\""}}'],
  ["one value a line", '{"a":1}\r\n{"a":[2,"]"]}\n{"a":{"b":"}\\""}}\n'],
  ["a byte order mark", '\ufeff{"a":1}\n{"a":[2,"]"]}\n{"a":{"b":"}\\""}}\n'],
])("a json file may hold %s, however its bytes are cut", async (_name, content) => {
  await put("ledger.json", content);
  await put("ledger-packed.json.gz", gzipSync(content));
  for (const maxBytes of [1, 70, 1_000]) {
    const seen = await readAll(source({ maxBytes }));
    const expected = ["1", '[2,"]"]', '{"b":"}\\""}'];
    expect(values(seen).map((value) => String(value).replace(/\s/g, ""))).toEqual(
      [...expected, ...expected].map((value) => `{"a":${value}}`),
    );
    expect(seen.unreadable).toEqual([]);
  }
});

test.each([
  ["two values on its first line", '{"a":1} {"a":2}\n{"a":3}\n{"a":4}\n'],
  ["all values on one line", '{"a":1}{"a":2} {"a":3}{"a":4}'],
  ["one value a line, after blank ones", '\n\n{"a":1} \n\n{"a":2}\n{"a":3}\n{"a":4}'],
])("every value of a json file with %s has coordinates of its own", async (_name, content) => {
  await put("ledger.json", content);
  for (const maxBytes of [1, 70]) {
    const seen = await readAll(source({ maxBytes }));
    expect(values(seen)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']);
    expect(new Set(seen.records.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(4);
    expect(seen.unreadable).toEqual([]);
  }
});

test("a restart in the middle of an array or a packed file goes on where it was", async () => {
  const rows = Array.from({ length: 40 }, (_, at) => `{"amount":${at},"customer_id":"someone"}`);
  await put("ledger-a.json", `[${rows.join(",\n")}]`);
  await put("ledger-b.ndjson.gz", gzipSync(rows.join("\n")));
  const first = source({ maxBytes: 300 });
  await first.start(async () => []);
  for (const wanted of [1, 5, 9]) {
    const early: SourceBatch[] = [];
    const life = source({ maxBytes: 300 });
    await life.start(async () => []);
    for (let turn = 0; turn < wanted; turn += 1) early.push(...((await life.next(FOREVER)) ?? []));
    const late = await readAll(source(), [
      ...new Map(checkpointsOf(early).map((one) => [one.topic, one])).values(),
    ]);
    const both = [...early.flatMap(({ records }) => records), ...late.records];
    expect(both.map(({ offset, partition }) => `${partition}/${offset}`).sort()).toEqual(
      (await readAll(source())).records.map(({ offset, partition }) => `${partition}/${offset}`).sort(),
    );
    expect(both).toHaveLength(80);
  }
});

test("files are read in the order of their names, subfolders included, hidden and other files not", async () => {
  await put("b/ledger.ndjson", '{"amount":3}\n');
  await put("ledger-10.ndjson", '{"amount":5}\n');
  await put("a/z/ledger.ndjson", '{"amount":1}\n');
  await put(".tmp/ledger.ndjson", '{"amount":99}\n');
  await put(".ledger.ndjson.part", '{"amount":98}\n');
  await put("readme.md", "nothing");
  const seen = await readAll(source({ maxBytes: 1 }));
  expect(values(seen)).toEqual(['{"amount":1}', '{"amount":3}', '{"amount":5}']);
  expect(seen.checkpoints.map(({ topic }) => pathOf(topic))).toEqual([
    "a/z/ledger.ndjson",
    "b/ledger.ndjson",
    "ledger-10.ndjson",
  ]);
});

test("broken lines, nameless files and over-long records are reported with their place, and the rest goes on", async () => {
  await put("ledger.ndjson", `nonsense\n{"amount":1}\n{"pad":"${"x".repeat(500)}"}\n[1]\n{"amount":2}\n`);
  await put("unknown.ndjson", '{"amount":3}\n');
  const seen = await readAll(source({ maxRecordBytes: 200 }));
  expect(values(seen)).toEqual(['{"amount":1}', '{"amount":2}']);
  expect(
    seen.unreadable.map(({ origin, bytes }) => [pathOf(origin.topic), origin.offset, text(bytes)]),
  ).toEqual([
    ["ledger.ndjson", "0", "nonsense"],
    ["ledger.ndjson", "2", null],
    ["ledger.ndjson", "3", "[1]"],
    ["unknown.ndjson", "0", '{"amount":3}'],
  ]);
});

test("a captured record whose text cannot be told byte for byte is put aside with its bytes, the rest goes on", async () => {
  const line = (member: string, broken: string) =>
    Buffer.from(`{"topic":"ledger","partition":0,"offset":7,${member}:"a${broken}b"}`, "latin1");
  const lines = [
    line('"value"', "\xff"),
    line('"key":null,"payload"', "\xc3("),
    line('"value":{},"key"', "\xff"),
    line('"value"', "\\ud83d"),
    line('"value":{},"headers":["h","\xff"],"more"', ""),
  ];
  const whole = ["\xc3\xa9", "\\ud83d\\ude00"].map((text) => line('"value"', text));
  const embedded = Buffer.from('{"topic":"ledger","offset":8,"value":{"a":"\xff"}}', "latin1");
  const all = [...lines, ...whole, embedded];
  await put("captured.ndjson", Buffer.concat(all.flatMap((one) => [one, Buffer.from("\n")])));
  const seen = await readAll(source());
  expect(seen.unreadable.map(({ bytes }) => Buffer.from(bytes ?? []))).toEqual(lines);
  expect(seen.unreadable.map(({ reason }) => /^"(\w+)" .* no text in UTF-8/.exec(reason)?.[1])).toEqual([
    ...["value", "payload", "key", "value", "headers"],
  ]);
  expect(seen.records.map(({ value }) => Buffer.from(value ?? []).toString("latin1"))).toEqual([
    ...["a\xc3\xa9b", "a\xf0\x9f\x98\x80b", '{"a":"\xff"}'],
  ]);
});

test("a packed file cut in the middle, or that is none, is reported, and what it held before the cut is read", async () => {
  const rows = Array.from(
    { length: 3_000 },
    (_, at) => `{"amount":${at},"noise":"${(at * 7919) % 1_000_003}"}\n`,
  );
  const packed = gzipSync(rows.join(""));
  await put("ledger-a.ndjson.gz", packed.subarray(0, packed.length >> 1));
  await put("ledger-b.ndjson.gz", "not packed at all");
  await put("ledger-c.ndjson", '{"amount":-5}\n');
  const seen = await readAll(source());
  expect(seen.unreadable.map(({ origin }) => pathOf(origin.topic))).toEqual([
    "ledger-a.ndjson.gz",
    "ledger-b.ndjson.gz",
  ]);
  expect(values(seen).at(-1)).toBe('{"amount":-5}');
  const again = await readAll(source(), seen.checkpoints);
  expect(again.unreadable.map(({ origin }) => origin)).toEqual(seen.unreadable.map(({ origin }) => origin));
  expect(again.records).toEqual([]);
});

test("a file still being written is not read past its last full line", async () => {
  await put("ledger.ndjson", '{"amount":1}\n{"amou');
  const following = source({ follow: true });
  await following.start(async () => []);
  const within = follower(following);
  expect(await within(3)).toEqual(['{"amount":1}']);
  expect(await within(50)).toBeNull();
  await appendFile(join(dir, "ledger.ndjson"), 'nt":2}\n{"amount":3}');
  expect(await within(3)).toEqual(['{"amount":2}']);
  expect(await within(3)).toBeNull();
  // A last line without its end is taken once it is whole and nobody touches the file any more.
  expect(await within(20)).toEqual(['{"amount":3}']);
  await appendFile(join(dir, "ledger.ndjson"), '\n{"amount":4}\n');
  expect(await within(3)).toEqual(['{"amount":4}']);
});

test("new files are found while following, and packed ones are read when they are complete", async () => {
  const following = source({ follow: true });
  await following.start(async () => []);
  const within = follower(following);
  expect(await within(3)).toBeNull();
  const packed = gzipSync('{"amount":1}\n{"amount":2}\n');
  await put("ledger.ndjson.gz", packed.subarray(0, packed.length - 9));
  const early = (await within(3)) ?? [];
  await put("ledger.ndjson.gz", packed);
  const late = (await within(10)) ?? [];
  expect([...early, ...late]).toEqual(['{"amount":1}', '{"amount":2}']);
  expect(following.unreadable()).toEqual([]);
});

const OLD = '{"amount":1}\n{"amount":2}\n';
const NEW = '{"amount":7}\n{"amount":8}\n{"amount":9}\n';
const NEW_VALUES = ['{"amount":7}', '{"amount":8}', '{"amount":9}'];
const replacements: readonly [string, (path: string, content: string | Uint8Array) => Promise<void>][] = [
  ["in place", put],
  [
    "by another",
    async (path, content) => {
      await put("incoming", content);
      await rename(join(dir, "incoming"), join(dir, path));
    },
  ],
];
const packings: readonly [string, (content: string) => string | Uint8Array][] = [
  ["ledger.ndjson", (content) => content],
  ["ledger.json", (content) => `[\n${content.trim().replaceAll("\n", ",\n")}\n]\n`],
  ["ledger.ndjson.gz", (content) => gzipSync(content)],
];

for (const [how, replace] of replacements)
  for (const [path, pack] of packings) {
    test(`${path} replaced ${how} between runs is read from its start, its rows beside the old ones`, async () => {
      await put(path, pack(OLD));
      const first = await readAll(source());
      await replace(path, pack(NEW));
      const second = await readAll(source(), first.checkpoints);
      expect(values(second)).toEqual(NEW_VALUES);
      expect(new Set([...coordinatesOf(first), ...coordinatesOf(second)]).size).toBe(5);
      // Both are known from now on.
      const known = [...first.checkpoints, ...second.checkpoints];
      expect(values(await readAll(source(), known))).toEqual([]);
      await replace(path, pack(OLD));
      expect(values(await readAll(source(), known))).toEqual([]);
    });

    test(`${path} replaced ${how} while it is watched is read from its start`, async () => {
      await put(path, pack(OLD));
      const following = source({ follow: true });
      await following.start(async () => []);
      const within = follower(following);
      expect(await within(3)).toHaveLength(2);
      await replace(path, pack(NEW));
      expect(await within(3)).toEqual(NEW_VALUES);
      expect(following.unreadable()).toEqual([]);
      expect(await following.lag()).toEqual([]);
    });

    test(`${path} replaced ${how} while it is read is read from its start, and no line of it goes by the old name`, async () => {
      await put(path, pack(OLD.repeat(50)));
      const from = source({ maxBytes: 100 });
      await from.start(async () => []);
      const first = (await from.next(FOREVER)) ?? [];
      await replace(path, pack(NEW.repeat(60)));
      const rest: SourceBatch[] = [];
      for (let next = await from.next(FOREVER); next !== null; next = await from.next(FOREVER))
        rest.push(...next);
      const topics = new Set(first.map(({ topic }) => topic));
      const late = rest.filter(({ topic }) => !topics.has(topic)).flatMap(({ records }) => records);
      expect(late.map(({ value }) => text(value))).toEqual(
        Array.from({ length: 60 }, () => NEW_VALUES).flat(),
      );
      expect(rest.filter(({ topic }) => topics.has(topic))).toEqual([]);
    });
  }

test.each([["ledger.ndjson"], ["ledger.ndjson.gz"]])(
  "%s with the same first line goes on when it has grown, whatever its inode, and is refused when it is shorter",
  async (path) => {
    const pack = path.endsWith(".gz") ? gzipSync : (content: string) => content;
    await put(path, pack(OLD));
    const first = await readAll(source());
    await put("incoming", pack(`${OLD}{"amount":3}\n`));
    await rename(join(dir, "incoming"), join(dir, path));
    const second = await readAll(source(), first.checkpoints);
    expect(values(second)).toEqual(['{"amount":3}']);
    await put(path, pack('{"amount":1}\n'));
    const third = await readAll(source(), second.checkpoints);
    expect(values(third)).toEqual([]);
    expect(third.unreadable.map(({ reason }) => reason)).toEqual([
      "the file was cut under its name: it is shorter than what was read of it",
    ]);
  },
);

test("a file is not begun while its first line may still be written, unless nobody writes any more", async () => {
  const values = Array.from({ length: 3 }, (_, at) => `{"amount":${at}}`);
  const following = source({ follow: true });
  await following.start(async () => []);
  const within = follower(following);
  await put("ledger.json", `[${values[0]},`);
  expect(await within(5)).toBeNull();
  await appendFile(join(dir, "ledger.json"), `${values[1]},`);
  expect(await within(5)).toBeNull();
  await appendFile(join(dir, "ledger.json"), `${values[2]}]`);
  expect(await within(5)).toBeNull();
  expect(await within(20)).toEqual(values);
  await appendFile(join(dir, "ledger.json"), "\n");
  expect(await within(20)).toBeNull();
  // When it is read once, what is there counts.
  const seen = await readAll(source());
  await put("ledger.json", `[${values.join(",")}]`);
  expect((await readAll(source(), seen.checkpoints)).records).toEqual([]);
});

test("a file that disappears is forgotten", async () => {
  await put("ledger.ndjson", OLD);
  const following = source({ follow: true });
  await following.start(async () => []);
  await unlink(join(dir, "ledger.ndjson"));
  const within = follower(following);
  expect(await within(3)).toBeNull();
  expect(await following.lag()).toEqual([]);
  expect(following.unreadable()).toEqual([]);
});

test("a folder that is not there is a failure of the source, with the folder's name", async () => {
  await expect(source({ dir: join(dir, "nowhere") }).start(async () => [])).rejects.toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    message: expect.stringContaining("nowhere"),
  });
});
