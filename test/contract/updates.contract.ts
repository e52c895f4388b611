import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Update } from "../../src/customer/customer.ts";
import type { StreamCursor, StreamEntry, Updates } from "../../src/updates/updates.ts";
import { manualClock, settle } from "../helpers/manual-clock.ts";
import type { ManualClock } from "../helpers/manual-clock.ts";
import { announcement, customer, row, update } from "./shapes.ts";

/** What a stream keeps. */
export interface Keep {
  readonly count: number;
  readonly ageMs: number;
}

/** A stream that is open for one test. */
export interface OpenUpdates {
  readonly updates: Updates;
  /** Another opening of the same stream, as another process has it; null where there can be none. */
  readonly other: (() => Promise<Updates>) | null;
  /** Throws the stream away and opens a new one in its place; null where that cannot happen. */
  readonly restart: (() => Promise<Updates>) | null;
  readonly dispose: () => Promise<void>;
}

const LONG: Keep = { count: 1_000_000, ageMs: 1_000_000_000 };

/** The laws of the Updates port. Every adapter passes them unchanged. */
export function updatesContract(
  name: string,
  open: (options: { readonly clock: ManualClock; readonly keep: Keep }) => Promise<OpenUpdates>,
): void {
  describe(`${name} keeps the promises of an update stream:`, () => {
    let clock: ManualClock;
    let opened: OpenUpdates;
    let updates: Updates;
    const start = async (keep: Keep) => {
      clock = manualClock();
      opened = await open({ clock, keep });
      updates = opened.updates;
    };
    beforeEach(() => start(LONG));
    afterEach(() => opened.dispose());

    const idle = () => new AbortController().signal;
    const entriesOf = async (
      after: StreamCursor,
      limit = 1_000,
      from = updates,
    ): Promise<readonly StreamEntry[]> => {
      const read = await from.read(after, { limit, signal: AbortSignal.abort() });
      if (read.kind === "gap") throw new Error(`a gap of ${read.missed}`);
      return read.entries;
    };
    const names = (entries: readonly StreamEntry[]) =>
      entries.map(({ update: { customerId, revision } }) => `${customerId}${revision}`);
    /** What each customer's readers are told, in order: among customers there is no order. */
    const told = (entries: readonly StreamEntry[]) => {
      const revisions: Record<string, number[]> = {};
      for (const { update: each } of entries) (revisions[each.customerId] ??= []).push(each.revision);
      return revisions;
    };
    /** The end of what was read is the end of the stream. */
    const expectEnd = async (entries: readonly StreamEntry[]) =>
      expect(updates.compare(entries.at(-1)?.cursor ?? "", await updates.tail())).toBe(0);

    test("what is published is read after any earlier cursor, whole and in order, and nothing after the last", async () => {
      const begin = await updates.tail();
      await updates.publish([update("ann", 1), update("bob", 1)]);
      await updates.publish([update("ann", 2)]);
      const all = await entriesOf(begin);
      expect(told(all)).toEqual({ ann: [1, 2], bob: [1] });
      for (const entry of all)
        expect(entry.update).toEqual(update(entry.update.customerId, entry.update.revision));
      expect(all.map(({ publishedMs }) => publishedMs)).toEqual([
        clock.nowMs(),
        clock.nowMs(),
        clock.nowMs(),
      ]);
      for (const [index, { cursor }] of all.entries()) {
        expect(told(await entriesOf(cursor))).toEqual(told(all.slice(index + 1)));
      }
      await expectEnd(all);
    });

    test("a published document has no outbox, and of its pages tells the number of live rows", async () => {
      const begin = await updates.tail();
      const note = (liveRows: number) => ({ revision: 3, totals: { n: { count: liveRows } }, liveRows });
      const document = customer("ann", {
        ...{
          tables: { profile: { a: row("1", { name: "ü 🏦" }) } },
          outbox: [announcement("ann", 1)],
          dueMs: 5,
        },
        notes: { payments: { "2024-05": note(2), "2024-06": note(3) } },
      });
      await updates.publish([{ ...announcement("ann", 1), customer: document }]);
      const other = opened.other === null ? updates : await opened.other();
      for (const reader of [updates, other]) {
        const [entry] = await entriesOf(begin, 1, reader);
        const read = entry?.update.customer;
        expect({ ...read, notes: {} }).toEqual({ ...document, notes: {}, outbox: [] });
        const rows = Object.values(read?.notes["payments"] ?? {}).map(({ liveRows }) => liveRows);
        expect(rows.reduce((sum, count) => sum + count, 0)).toBe(5);
      }
    });

    test("a read answers at most so many, and the next one goes on where it ended", async () => {
      const begin = await updates.tail();
      await updates.publish(Array.from({ length: 7 }, (_, index) => update("ann", index + 1)));
      const first = await entriesOf(begin, 3);
      expect(names(first)).toEqual(["ann1", "ann2", "ann3"]);
      expect(names(await entriesOf(first[2]?.cursor ?? "", 3))).toEqual(["ann4", "ann5", "ann6"]);
    });

    test("many who read at once from any places are each answered what each alone would be", async () => {
      const begin = await updates.tail();
      for (let revision = 1; revision <= 30; revision += 1)
        await updates.publish(Array.from({ length: 20 }, (_, index) => update(`c${index}`, revision)));
      const cursors = [begin, ...(await entriesOf(begin)).map(({ cursor }) => cursor)];
      const places = cursors.filter((_, index) => index % 21 === 0);
      const behind = [];
      for (const at of places) behind.push(told(await entriesOf(at)));
      const reader = opened.other === null ? updates : await opened.other();
      for (const by of [reader, updates]) {
        const pages = places.map((at, index) => entriesOf(at, 1 + ((7 * index) % 90), by));
        for (const [index, page] of (await Promise.all(pages)).entries()) {
          // A page may be shorter than it could be; whatever it ends with, nothing is missing before and behind that.
          const rest = await entriesOf(page.at(-1)?.cursor ?? places[index] ?? "");
          expect(told([...page, ...rest])).toEqual(behind[index]);
          if (page.length === 0) expect(rest).toEqual([]);
        }
      }
    });

    test("publishing again has no effect, in the same call, a later one or after more was published", async () => {
      const begin = await updates.tail();
      await updates.publish([update("ann", 1), update("ann", 1)]);
      await updates.publish([update("ann", 2), update("bob", 1)]);
      await updates.publish([update("ann", 1), update("ann", 2), update("bob", 1)]);
      expect(told(await entriesOf(begin))).toEqual({ ann: [1, 2], bob: [1] });
      await updates.publish([]);
      await expectEnd(await entriesOf(begin));
    });

    test("revisions of a customer rise along the stream however many publish at once, none is missing, and all readers see a customer's in one order", async () => {
      const begin = await updates.tail();
      const second = opened.other === null ? updates : await opened.other();
      const publisher = async (by: Updates, outbox: Update[]) => {
        for (let from = 0; from < outbox.length; from += 2) {
          await by.publish(outbox.slice(Math.max(0, from - 1), from + 2));
          await settle(1);
        }
      };
      const outbox = Array.from({ length: 20 }, (_, index) =>
        update(index % 2 === 0 ? "ann" : "bob", (index >> 1) + 1),
      );
      await Promise.all([updates, second, updates, second].map((by) => publisher(by, outbox)));
      const expected = Array.from({ length: 10 }, (_, index) => index + 1);
      expect(told(await entriesOf(begin))).toEqual({ ann: expected, bob: expected });
      expect(told(await entriesOf(begin, 1_000, second))).toEqual({ ann: expected, bob: expected });
      const single: StreamEntry[] = [];
      for (let after = begin; ;) {
        const [entry] = await entriesOf(after, 1, second);
        if (entry === undefined) break;
        single.push(entry);
        after = entry.cursor;
      }
      expect(told(single)).toEqual({ ann: expected, bob: expected });
    });

    test("a revision published late is not told after a later one", async () => {
      const begin = await updates.tail();
      await updates.publish([update("ann", 2)]);
      await updates.publish([update("ann", 1), update("ann", 3)]);
      expect(names(await entriesOf(begin))).toEqual(["ann2", "ann3"]);
    });

    test("a read waits for the first entry and wakes when it is published", async () => {
      const after = await updates.tail();
      const reads = [1, 2].map(() => updates.read(after, { limit: 10, signal: idle() }));
      let done = false;
      void Promise.all(reads).then(() => (done = true));
      await settle();
      expect(done).toBe(false);
      await updates.publish([update("ann", 1)]);
      for (const read of await Promise.all(reads)) {
        expect(read.kind === "entries" ? names(read.entries) : read).toEqual(["ann1"]);
      }
    });

    test("a waiting read wakes for what another process published", async ({ skip }) => {
      const { other } = opened;
      if (other === null) return skip("one process only");
      const second = await other();
      const read = updates.read(await updates.tail(), { limit: 10, signal: idle() });
      await settle();
      await second.publish([update("ann", 1)]);
      await clock.advance(1_000);
      expect(await read).toMatchObject({ kind: "entries", entries: [{ update: { customerId: "ann" } }] });
    });

    test("what two processes publish in turn is read by both without hole or repeat", async ({ skip }) => {
      const { other } = opened;
      if (other === null) return skip("one process only");
      const second = await other();
      const begin = await updates.tail();
      for (let revision = 1; revision <= 6; revision += 1) {
        await (revision % 3 === 0 ? second : updates).publish([update("ann", revision)]);
      }
      const expected = ["ann1", "ann2", "ann3", "ann4", "ann5", "ann6"];
      for (const reader of [updates, second]) {
        expect(names(await entriesOf(begin, 1_000, reader))).toEqual(expected);
        const fourth = (await entriesOf(begin, 4, reader)).at(-1)?.cursor ?? "";
        expect(names(await entriesOf(fourth, 1, reader))).toEqual(["ann5"]);
      }
    });

    test("an aborted read answers no entries and leaves nothing waiting", async () => {
      const controller = new AbortController();
      const read = updates.read(await updates.tail(), { limit: 10, signal: controller.signal });
      await settle();
      controller.abort();
      expect(await read).toEqual({ kind: "entries", entries: [] });
      await settle();
      expect(clock.sleepers()).toBe(0);
    });

    test("closing wakes who waits, and closing twice is closing once", async () => {
      const read = updates.read(await updates.tail(), { limit: 10, signal: idle() });
      await settle();
      await updates.close();
      expect(await read).toEqual({ kind: "entries", entries: [] });
      await updates.close();
    });

    test("after more was published than is kept, an old cursor gets a gap with the number missed, a kept one everything", async () => {
      await opened.dispose();
      await start({ count: 10, ageMs: LONG.ageMs });
      const begin = await updates.tail();
      for (let revision = 1; revision <= 30; revision += 1) await updates.publish([update("ann", revision)]);
      const read = await updates.read(begin, { limit: 100, signal: idle() });
      if (read.kind !== "gap") throw new Error("no gap");
      expect(read).toMatchObject({ reason: "RETENTION", resumeAt: await updates.tail() });
      const missed = read.missed ?? 0;
      expect(missed).toBeGreaterThan(0);
      expect(missed).toBeLessThanOrEqual(20);
      const cursor = await updates.tail();
      await updates.publish([update("ann", 31)]);
      expect(names(await entriesOf(cursor))).toEqual(["ann31"]);
      expect(names(await entriesOf(read.resumeAt))).toEqual(["ann31"]);
    });

    test("what is older than is kept is gone once more is published, and only that", async () => {
      await opened.dispose();
      await start({ count: LONG.count, ageMs: 60_000 });
      const begin = await updates.tail();
      await updates.publish([update("ann", 1)]);
      const old = await updates.tail();
      await clock.advance(50_000);
      await updates.publish([update("ann", 2)]);
      expect(names(await entriesOf(begin))).toEqual(["ann1", "ann2"]);
      await clock.advance(20_000);
      await updates.publish([update("ann", 3)]);
      expect(await updates.read(begin, { limit: 10, signal: idle() })).toMatchObject({
        kind: "gap",
        missed: 1,
      });
      expect(names(await entriesOf(old))).toEqual(["ann2", "ann3"]);
    });

    test("a cursor of another life of the stream, of another stream or of the future gets a gap of unknown size", async () => {
      await updates.publish([update("ann", 1)]);
      const before = await updates.tail();
      if (opened.restart !== null) updates = await opened.restart();
      const foreign = opened.restart === null ? [] : [before];
      for (const cursor of [...foreign, "", "nonsense", "0123456789abcdef.1"]) {
        const read = await updates.read(cursor, { limit: 10, signal: idle() });
        expect(read).toEqual({
          kind: "gap",
          missed: null,
          reason: "RESTART",
          resumeAt: await updates.tail(),
        });
        expect(updates.compare(cursor, await updates.tail())).toBeNull();
      }
    });

    test("cursors compare like their places in the stream", async () => {
      const begin = await updates.tail();
      await updates.publish(Array.from({ length: 12 }, (_, index) => update("ann", index + 1)));
      const cursors = [begin, ...(await entriesOf(begin)).map(({ cursor }) => cursor)];
      for (const [x, a] of cursors.entries()) {
        for (const [y, b] of cursors.entries())
          expect(Math.sign(updates.compare(a, b) ?? NaN)).toBe(Math.sign(x - y));
      }
    });

    test("from the cursor of one reader another goes on with its own entries, leaving out those the first had", async () => {
      const begin = await updates.tail();
      const customers = ["ann", "bob", "cat", "dan", "eve"];
      for (let revision = 1; revision <= 4; revision += 1)
        await updates.publish(customers.map((id) => update(id, revision)));
      const second = opened.other === null ? updates : await opened.other();
      const mine = await entriesOf(begin);
      const others: StreamEntry[] = [];
      for (let limit = 1; others.length < mine.length; limit += 1)
        others.push(...(await entriesOf(others.at(-1)?.cursor ?? begin, limit, second)));
      for (const [index, { cursor }] of mine.entries()) {
        const rest: StreamEntry[] = [];
        let at = cursor;
        for (const entry of others) {
          const next = updates.onward(at, entry.cursor);
          if (next === null) continue;
          expect(updates.compare(at, next)).toBeLessThan(0);
          rest.push(entry);
          at = next;
        }
        expect(told(rest)).toEqual(told(mine.slice(index + 1)));
        expect(updates.compare(at, await updates.tail())).toBe(0);
      }
    });

    test("another opening of the stream reads what was published before", async ({ skip }) => {
      const { other } = opened;
      if (other === null) return skip("nothing outlives this stream");
      const begin = await updates.tail();
      await updates.publish([update("ann", 1), update("bob", 4)]);
      const second = await other();
      expect(await second.tail()).toBe(await updates.tail());
      expect(told(await entriesOf(begin, 10, second))).toEqual({ ann: [1], bob: [4] });
      await second.publish([update("bob", 4)]);
      expect(await second.tail()).toBe(await updates.tail());
    });
  });
}
