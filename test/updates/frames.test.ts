import { describe, expect, it } from "vitest";
import type { Watch } from "../../src/updates/watch.ts";
import { changesSince, frames } from "../../src/resolvers/updates.ts";
import { settle } from "../helpers/manual-clock.ts";
import { ALL, ANN, bankOf, count, told, watch } from "./watching.ts";
import { world } from "./world.ts";

const bank = bankOf();

describe("a snapshot and what follows it", () => {
  it("begins with the customer as it is, then tells each change once", async () => {
    const w = bank();
    await w.change("ann");
    const { some, next } = watch(w, ANN);
    expect(told(await next())).toBe("snapshot ann@1");
    await w.change("ann");
    await w.change("bob");
    await w.change("ann");
    expect((await some(2)).map(told)).toEqual(["ann@2", "ann@3"]);
  });

  it("of a customer who does not exist yet is empty; the customer comes when it appears", async () => {
    const w = bank();
    const { next } = watch(w, ANN);
    expect(told(await next())).toBe("snapshot ");
    await w.change("ann");
    expect(told(await next())).toBe("ann@1");
  });

  it("loses nothing that is saved between the place and the snapshot, or published after both", async () => {
    const w = bank();
    await w.change("ann");
    w.beforeRead = async () => {
      w.beforeRead = null;
      await w.change("ann");
    };
    const { next } = watch(w, ANN);
    expect(told(await next())).toBe("snapshot ann@2");
    const late = w.save("ann");
    w.stream.repeat(late);
    await w.change("ann");
    expect((await Promise.all([next(), next()])).map(told)).toEqual(["ann@3", "ann@4"]);
  });

  it("drops an update that the snapshot shows already, however late it is published", async () => {
    const w = bank();
    const [first, second] = [w.save("ann"), w.save("ann")];
    const { next } = watch(w, ANN);
    expect(told(await next())).toBe("snapshot ann@2");
    await w.stream.publish([first, second]);
    await w.change("ann");
    expect(told(await next())).toBe("ann@3");
  });

  it("never repeats an update that the stream repeats", async () => {
    const w = bank();
    const { next } = watch(w, ANN);
    await next();
    const update = await w.change("ann");
    w.stream.repeat(update);
    w.stream.repeat(update);
    await w.change("ann");
    w.stream.repeat(update);
    await w.change("ann");
    expect([await next(), await next(), await next()].map(told)).toEqual(["ann@1", "ann@2", "ann@3"]);
    expect(w.stream.reads()).toBeLessThan(20);
  });

  it("of many customers comes in pages, the last of them complete", async () => {
    const w = bank();
    for (let n = 1000; n < 1450; n++) w.save(`c${n}`);
    const { some, next } = watch(w, ALL);
    const pages = await some(3);
    expect(pages.map((page) => page.kind === "snapshot" && [page.complete, count(page)])).toEqual([
      [false, 200],
      [false, 200],
      [true, 50],
    ]);
    await w.change("new");
    expect(told(await next())).toBe("new@1");
  });

  it("tells how old it is", async () => {
    const w = bank();
    await w.change("ann");
    const { next } = watch(w, ANN);
    expect((await next()).age).toEqual({
      sourceMs: 1,
      ingestedMs: 2,
      appliedMs: w.clock.nowMs(),
      sentMs: w.clock.nowMs(),
    });
  });
});

describe("resuming", () => {
  it("from any cursor misses nothing and repeats nothing", async () => {
    const w = bank({ ring: 8 });
    const { next } = watch(w, ANN);
    const seen = [await next()];
    for (let n = 0; n < 30; n++) {
      await w.change("ann");
      await w.change("bob");
      seen.push(await next());
    }
    for (const [index, frame] of seen.entries()) {
      const again = watch(w, ANN, { after: frame.cursor });
      const rest = seen.slice(index + 1);
      expect((await again.some(rest.length)).map(told)).toEqual(rest.map(told));
      const silent = again.next().catch(() => null);
      await settle();
      await again.stream.return?.();
      expect(await silent).toBeNull();
    }
  });

  it("reads past many pages of updates that concern others, in memory and beyond", async () => {
    for (const ring of [1_000, 20]) {
      const w = world({ ring });
      const first = watch(w, ANN);
      const { cursor } = await first.next();
      for (let n = 0; n < 150; n++) await w.change("bob");
      for (let n = 0; n < 3; n++) await w.change("ann");
      for (let n = 0; n < 250; n++) await w.change("bob");
      while (w.context.hub.place().seq < 403) await settle(1);
      const again = watch(w, ANN, { after: cursor });
      expect((await again.some(3)).map(told)).toEqual(["ann@1", "ann@2", "ann@3"]);
      const waiting = again.next();
      await settle();
      await w.change("ann");
      expect(told(await waiting)).toBe("ann@4");
      await w.close();
    }
  });

  it("from a snapshot does not repeat what the snapshot showed ahead of the stream", async () => {
    const w = bank();
    const ahead = w.save("ann");
    const first = watch(w, ANN);
    const snapshot = await first.next();
    await first.stream.return?.();
    await w.stream.publish([ahead]);
    await w.change("ann");
    const again = watch(w, ANN, { after: snapshot.cursor });
    expect(told(await again.next())).toBe("ann@2");
  });

  it("from an unfinished snapshot goes on with its next page", async () => {
    const w = bank();
    await w.context.hub.start();
    for (let n = 1000; n < 1250; n++) await w.change(`c${n}`);
    await settle();
    const first = watch(w, ALL);
    const page = await first.next();
    await first.stream.return?.();
    await w.change("c1001");
    const again = watch(w, ALL, { after: page.cursor });
    const [rest, change] = await again.some(2);
    expect(rest?.kind === "snapshot" && [rest.complete, count(rest)]).toEqual([true, 50]);
    expect(change && told(change)).toBe("c1001@2");
  });

  it("after more was trimmed than is kept gives a Gap and a snapshot", async () => {
    const w = bank({ ring: 4 });
    const first = watch(w, ANN);
    const { cursor } = await first.next();
    await first.stream.return?.();
    for (let n = 0; n < 20; n++) await w.change("ann");
    await settle();
    w.stream.trim(5);
    const again = watch(w, ANN, { after: cursor });
    expect((await again.some(2)).map(told)).toEqual(["gap RETENTION null", "snapshot ann@20"]);
    await w.change("ann");
    expect(told(await again.next())).toBe("ann@21");
  });

  it("after the stream began anew gives a Gap and a snapshot, to those who are live as well", async () => {
    const w = bank();
    const live = watch(w, ANN);
    const { cursor } = await live.next();
    await w.change("ann");
    await live.next();
    const waiting = live.next();
    await settle();
    w.stream.restart();
    expect(told(await waiting)).toBe("gap RESTART null");
    expect(told(await live.next())).toBe("snapshot ann@1");
    const again = watch(w, ANN, { after: cursor });
    expect((await again.some(2)).map(told)).toEqual(["gap RESTART null", "snapshot ann@1"]);
    await w.change("ann");
    expect([await live.next(), await again.next()].map(told)).toEqual(["ann@2", "ann@2"]);
  });

  it("from a Gap begins with the snapshot that belongs to it", async () => {
    const w = bank();
    const live = watch(w, ANN);
    await live.next();
    const waiting = live.next();
    await settle();
    w.stream.restart();
    const gap = await waiting;
    await live.stream.return?.();
    await w.change("ann");
    const again = watch(w, ANN, { after: gap.cursor });
    expect(told(await again.next())).toBe("snapshot ann@1");
  });

  it("takes no cursor of another field, other arguments, another scope, or a forged one", () => {
    const w = bank();
    const { cursors } = w.context;
    const place = { at: "1-0", page: null, floors: null, afterLoss: false };
    const cursor = cursors.sign(place, { scope: "everything", watch: ANN });
    const refused = (after: string, what: Watch = ANN) => {
      expect(() => frames(w.context, what, { after, mode: "LATEST" })).toThrow(
        expect.objectContaining({ code: "CURSOR_INVALID" }),
      );
    };
    refused(cursor, ALL);
    refused(cursor, { field: "customerUpdates", customerId: "bob" });
    refused(cursors.sign(place, { scope: "other", watch: ANN }));
    refused(`${cursor}x`);
    refused(cursor.replace(/^./, (letter) => (letter === "e" ? "f" : "e")));
    refused("");
    refused("garbage");
    refused("a.".repeat(40_000));
    expect(w.context.hub.size()).toBe(0);
  });
});

describe("a stream that lasts", () => {
  it("sends Progress when nothing else was sent, with a cursor past all that did not concern it", async () => {
    const w = bank();
    const { next } = watch(w, ANN);
    await next();
    const waiting = next();
    for (let n = 0; n < 5; n++) await w.change("bob");
    await settle();
    await w.clock.advance(60_000);
    const progress = await waiting;
    expect(told(progress)).toBe("progress");
    w.stream.trim(0);
    const again = watch(w, ANN, { after: progress.cursor });
    await w.change("ann");
    expect(told(await again.next())).toBe("ann@1");
  });

  it("sends Progress after many updates of others", async () => {
    const w = bank({ progressEntries: 50 });
    const { next } = watch(w, ANN);
    await next();
    const waiting = next();
    for (let n = 0; n < 120; n++) {
      await w.change("bob");
      await settle(1);
    }
    expect(told(await waiting)).toBe("progress");
  });

  it("ends with a resumable code when the process drains, and so does one that begins then", async () => {
    const w = bank();
    const { next, stream } = watch(w, ANN);
    await next();
    const waiting = next();
    await settle();
    w.context.hub.drain();
    const ended = await waiting;
    expect(told(ended)).toBe("ended DRAINING true");
    expect((await stream.next()).done).toBe(true);
    const late = watch(w, ANN);
    expect(told(await late.next())).toBe("ended DRAINING true");
    expect(w.context.hub.size()).toBe(0);
    const content = w.context.cursors.open(ended.cursor ?? "", "everything", ANN);
    expect(content.page).toBeNull();
  });

  it("frees everything when its reader leaves, at any moment, and answers pending pulls", async () => {
    const w = bank();
    await w.change("ann");
    for (let n = 0; n < 10_000; n++) {
      const stream = frames(w.context, ANN, { after: null, mode: "LATEST" });
      if (n % 3 > 0) await stream.next();
      const pending = n % 3 === 2 ? stream.next() : null;
      await stream.return?.();
      if (pending !== null) expect((await pending).done).toBe(true);
      expect((await stream.next()).done).toBe(true);
    }
    expect([w.context.hub.size(), w.context.hub.watched()]).toEqual([0, 0]);
  });

  it("reports a store that fails, and ends", async () => {
    const w = bank();
    w.beforeRead = () => Promise.reject(new Error("disk"));
    const { stream } = watch(w, ANN);
    await expect(stream.next()).rejects.toThrow("disk");
    expect((await stream.next()).done).toBe(true);
    expect(w.context.hub.size()).toBe(0);
  });
});

describe("changesSince", () => {
  it("gives a polling client the same frames a subscription gets", async () => {
    const w = bank();
    const start = await changesSince(w.context, null, 10);
    expect(start).toMatchObject({ frames: [], hasMore: false });
    const live = watch(w, ALL, { after: start.endCursor });
    for (let n = 0; n < 5; n++) await w.change(n % 2 === 0 ? "ann" : "bob");
    await settle();
    const first = await changesSince(w.context, start.endCursor, 3);
    const second = await changesSince(w.context, first.endCursor, 3);
    expect(first.hasMore).toBe(true);
    expect(second.hasMore).toBe(false);
    const exact = await changesSince(w.context, start.endCursor, 5);
    expect([exact.frames.length, exact.hasMore, exact.endCursor]).toEqual([5, false, second.endCursor]);
    const polled = [...first.frames, ...second.frames].map(told);
    expect(polled).toEqual((await live.some(5)).map(told));
    expect(w.context.hub.size()).toBe(1);
  });

  it("pages through a snapshot that follows a Gap", async () => {
    const w = bank({ ring: 2 });
    const { endCursor } = await changesSince(w.context, null, 1);
    for (let n = 100; n < 350; n++) await w.change(`c${n}`);
    await settle();
    w.stream.trim(1);
    let after = endCursor;
    const seen: string[] = [];
    for (;;) {
      const { frames: found, endCursor: next, hasMore } = await changesSince(w.context, after, 1);
      seen.push(
        ...found.map((frame) => (frame.kind === "snapshot" ? `snapshot ${count(frame)}` : told(frame))),
      );
      after = next;
      if (!hasMore) break;
    }
    expect(seen).toEqual(["gap RETENTION 250", "snapshot 200", "snapshot 50"]);
  });

  it("refuses a first out of range", async () => {
    const w = bank();
    await expect(changesSince(w.context, null, 0)).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
    await expect(changesSince(w.context, null, 201)).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
  });
});
