import { afterEach, describe, expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import type { Checkpoint, Source, SourceBatch } from "../../src/ingest/source.ts";

/** One place records come from, before anybody reads it: what outlives a source. */
export interface Origins {
  /** Appends records to partition number `partition` (0, 1, ...), whole and visible at once. */
  append(
    partition: number,
    records: readonly { readonly key: string; readonly value: string }[],
  ): Promise<void>;
  /** A source over it, as a new process would open it. `follow` false: it ends when everything is read. */
  open(options: { readonly follow: boolean; readonly maxBytes: number }): Promise<Source>;
  /** Lets time pass, so that a following source looks again. */
  wait(): Promise<void>;
  close(): Promise<void>;
}

const FOREVER = new AbortController().signal;

/** The laws of the Source port. `open` makes an empty place to read from. */
export function sourceContract(name: string, open: () => Promise<Origins>): void {
  describe(`${name}: the Source port`, () => {
    let origins: Origins | null = null;
    const sources: Source[] = [];

    const begin = async (): Promise<Origins> => (origins = await open());
    const start = async (
      from: Origins,
      checkpoints: readonly Checkpoint[] = [],
      options: { readonly follow?: boolean; readonly maxBytes?: number } = {},
    ): Promise<Source> => {
      const source = await from.open({
        follow: options.follow ?? false,
        maxBytes: options.maxBytes ?? 1_000_000,
      });
      sources.push(source);
      await source.start(async () => checkpoints);
      return source;
    };

    afterEach(async () => {
      for (const source of sources.splice(0)) await source.close();
      await origins?.close();
      origins = null;
    });

    test("brings every record once, exactly as it was, in the order of its partition", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 50));
      await from.append(1, numbered(100, 150));
      const batches = await drain(await start(from));
      expect(textsOf(batches).sort()).toEqual([...numbered(0, 50), ...numbered(100, 150)].map(textOf).sort());
      for (const records of byPartition(batches).values()) {
        const texts = records.map(textOf);
        expect(texts).toEqual([...texts].sort());
      }
    });

    test("gives each record its own coordinates, the same in every life", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 20));
      await from.append(1, numbered(20, 40));
      const first = (await life(await start(from))).flatMap(({ records }) => records);
      const second = (await life(await start(from))).flatMap(({ records }) => records);
      expect(new Set(first.map(coordinates)).size).toBe(40);
      const known = (records: readonly SourceRecord[]) =>
        records.map((one) => `${coordinates(one)} ${textOf(one)}`).sort();
      expect(known(second)).toEqual(known(first));
    });

    test("delivers again what was not acknowledged, and nothing that was", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 60));
      const first = await start(from, [], { maxBytes: 200 });
      const before = await take(first, 3);
      await take(first, 2);
      await first.close();
      const checkpoints = checkpointsOf(before);
      const after = await drain(await start(from, checkpoints));
      expect([...textsOf(before), ...textsOf(after)]).toEqual(numbered(0, 60).map(textOf));
    });

    test("goes on from an acknowledgement that came late, or after none at all", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 30));
      const source = await start(from, [], { maxBytes: 200 });
      const batches = await drain(source);
      await source.acknowledge(checkpointsOf(batches.slice(0, 1)));
      await source.acknowledge(checkpointsOf(batches));
      await source.close();
      expect(textsOf(batches)).toEqual(numbered(0, 30).map(textOf));
      expect(textsOf(await life(await start(from, checkpointsOf(batches))))).toEqual([]);
      expect(textsOf(await life(await start(from)))).toEqual(numbered(0, 30).map(textOf));
    });

    test("a start that could not learn its checkpoints has begun nothing, and may be repeated", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 30));
      const done = checkpointsOf((await life(await start(from, [], { maxBytes: 200 }))).slice(0, 1));
      const source = await from.open({ follow: false, maxBytes: 1_000_000 });
      sources.push(source);
      const outage = new Error("the store is away");
      await expect(source.start(async () => Promise.reject(outage))).rejects.toBe(outage);
      await source.start(async () => done);
      const [first] = numbered(0, 1).map(textOf);
      const texts = textsOf(await drain(source));
      expect(texts).not.toContain(first);
      expect(texts.at(-1)).toBe(numbered(29, 30).map(textOf)[0]);
    });

    test("answers at most one batch per partition at a time, about as large as it may be", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 100));
      await from.append(1, numbered(100, 200));
      const source = await start(from, [], { maxBytes: 500 });
      const largest = Math.max(...numbered(0, 200).map(({ key, value }) => key.length + value.length));
      for (let batches = await source.next(FOREVER); batches !== null; batches = await source.next(FOREVER)) {
        const names = batches.map(({ topic, partition }) => `${topic}/${partition}`);
        expect(new Set(names).size).toBe(names.length);
        expect(batches.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(2 * 500 + largest);
      }
    });

    test("waits for records while it follows, and says how far it is behind", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 5));
      const source = await start(from, [], { follow: true });
      const early = await source.next(FOREVER);
      const pending = source.next(FOREVER);
      let isSettled = false;
      void pending.then(() => {
        isSettled = true;
      });
      await from.wait();
      expect(isSettled).toBe(false);
      await from.append(0, numbered(5, 8));
      while (!isSettled) await from.wait();
      const late = await pending;
      expect([...textsOf(early ?? []), ...textsOf(late ?? [])]).toEqual(numbered(0, 8).map(textOf));
      expect(await source.lag()).toEqual([]);
    });

    test("is behind by what it knows and did not deliver", async () => {
      const from = await begin();
      await from.append(0, numbered(0, 5));
      const source = await start(from);
      expect((await source.lag()).every(({ behind }) => BigInt(behind) > 0n)).toBe(true);
      expect(await source.lag()).toHaveLength(1);
      await drain(source);
      expect(await source.lag()).toEqual([]);
    });

    test("ends a pending next when the signal aborts, and when it is closed, however often", async () => {
      const from = await begin();
      const aborting = new AbortController();
      const first = await start(from, [], { follow: true });
      const aborted = first.next(aborting.signal);
      await from.wait();
      aborting.abort();
      expect(await aborted).toBeNull();
      const second = await start(from, [], { follow: true });
      const closed = second.next(FOREVER);
      await from.wait();
      await Promise.all([second.close(), second.close()]);
      await second.close();
      expect(await closed).toBeNull();
      expect(await second.next(FOREVER)).toBeNull();
    });
  });
}

function numbered(from: number, to: number): readonly { readonly key: string; readonly value: string }[] {
  return Array.from({ length: to - from }, (_, at) => {
    const number = String(from + at).padStart(4, "0");
    return {
      key: `{"id":${number.replace(/^0+(?=\d)/, "")}}`,
      value: `{"n":"${number}","big":9007199254740993,"t":"ü\\n\\u00e4"}`,
    };
  });
}

async function take(source: Source, count: number): Promise<readonly SourceBatch[]> {
  const taken: SourceBatch[] = [];
  for (let turn = 0; turn < count; turn += 1) taken.push(...((await source.next(FOREVER)) ?? []));
  return taken;
}

async function drain(source: Source): Promise<readonly SourceBatch[]> {
  const all: SourceBatch[] = [];
  for (let batches = await source.next(FOREVER); batches !== null; batches = await source.next(FOREVER))
    all.push(...batches);
  return all;
}

/** All a source has, by a process that ends then. */
async function life(source: Source): Promise<readonly SourceBatch[]> {
  const all = await drain(source);
  await source.close();
  return all;
}

const text = (bytes: Uint8Array | string | null): string =>
  bytes === null ? "" : Buffer.from(bytes).toString();
const textOf = ({
  key,
  value,
}: {
  key: Uint8Array | string | null;
  value: Uint8Array | string | null;
}): string => `${text(value)} ${text(key)}`;
const textsOf = (batches: readonly SourceBatch[]): string[] =>
  batches.flatMap(({ records }) => records.map(textOf));
const coordinates = ({ topic, partition, offset }: SourceRecord): string => `${topic}/${partition}/${offset}`;

function byPartition(batches: readonly SourceBatch[]): ReadonlyMap<string, readonly SourceRecord[]> {
  const found = new Map<string, SourceRecord[]>();
  for (const { topic, partition, records } of batches) {
    const name = `${topic}/${partition}`;
    found.set(name, [...(found.get(name) ?? []), ...records]);
  }
  return found;
}

function checkpointsOf(batches: readonly SourceBatch[]): readonly Checkpoint[] {
  const ends = new Map(
    batches.map(({ topic, partition, nextOffset }) => [
      `${topic}/${partition}`,
      { topic, partition, nextOffset },
    ]),
  );
  return [...ends.values()];
}
