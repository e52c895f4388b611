import { afterEach, describe, expect, it } from "vitest";
import type { CustomerFilter } from "../../src/customer/values/filter.ts";
import type { Frame } from "../../src/resolvers/frames/frames.ts";
import type { Watch } from "../../src/updates/watch.ts";
import { frames } from "../../src/resolvers/updates.ts";
import { Audience } from "../../src/updates/audience.ts";
import { HUB_LIMITS } from "../../src/updates/limits.ts";
import type { HubLimits } from "../../src/updates/limits.ts";
import { settle } from "../helpers/manual-clock.ts";
import { ALL, ANN, count, told, watch } from "./watching.ts";
import { world } from "./world.ts";
import type { World } from "./world.ts";

const LONGEST_CURSOR = 8_000;

let open: World | null = null;
afterEach(async () => {
  await open?.close();
  open = null;
});

function bank(limits: Partial<HubLimits> = {}): World {
  open = world(limits);
  return open;
}

function names(of: number): string[] {
  return Array.from({ length: of }, (_, n) => `c${String(n).padStart(4, "0")}`);
}

/** Saved twice and not published: what a snapshot shows ahead of the stream. */
function ahead(w: World, ids: readonly string[]) {
  return ids.flatMap((id) => [w.save(id), w.save(id)]);
}

/** Lets an hour go by, as the hub counts it. */
async function hour(w: World): Promise<void> {
  for (let n = 0; n < 10; n++) await w.clock.advance(HUB_LIMITS.progressMs);
  await w.clock.advance(3_300_000 - 1);
}

describe("what a snapshot showed ahead of the stream", () => {
  it("is not told again after a resume, however many customers it was", async () => {
    for (const many of [3, 99, 150, 450]) {
      const w = world();
      const unpublished = ahead(w, names(many));
      const first = watch(w, ALL);
      const seen = [await first.next()];
      while (seen.at(-1)?.kind === "snapshot" && !isComplete(seen.at(-1))) seen.push(await first.next());
      await first.stream.return?.();
      await w.stream.publish(unpublished);
      for (const { cursor } of seen) {
        expect(cursor?.length ?? 0).toBeLessThanOrEqual(LONGEST_CURSOR);
        const again = watch(w, ALL, { after: cursor });
        let newest = (await w.change("c0000")).revision;
        let frame = await again.next();
        if (frame.kind === "snapshot") {
          while (!isComplete(frame)) frame = await again.next();
          newest = (await w.change("c0000")).revision;
          frame = await again.next();
        }
        expect(told(frame)).toBe(`c0000@${newest}`);
        await again.stream.return?.();
      }
      await w.close();
    }
  });

  it("is not told again after an hour of silence, nor behind the cursors of that time", async () => {
    const w = bank();
    const unpublished = ahead(w, names(150));
    const first = watch(w, ALL);
    const frame = await first.next();
    const waiting = first.next();
    await settle();
    await w.stream.publish(unpublished);
    await hour(w);
    const progress = await waiting;
    expect(told(progress)).toBe("progress");
    const later = first.next();
    await hour(w);
    const last = await later;
    await w.change("zoe");
    expect(told(await first.next())).toBe("zoe@1");
    for (const { cursor } of [progress, last]) {
      const again = watch(w, ALL, { after: cursor });
      const next = await again.next();
      if (next.kind === "snapshot") expect(count(next)).toBeGreaterThanOrEqual(150);
      else expect(told(next)).toBe("zoe@1");
      await again.stream.return?.();
    }
    expect(w.context.cursors.open(last.cursor ?? "", "everything")).toMatchObject({
      page: null,
      floors: null,
    });
    expect(frame.kind).toBe("snapshot");
  });

  it("is remembered only of customers who changed a short while before", async () => {
    const w = bank();
    for (const id of names(150)) w.save(id);
    await w.context.hub.start();
    await hour(w);
    await w.change("bob");
    await settle();
    w.save("ann");
    const { next } = watch(w, ALL);
    const { cursor } = await next();
    const { page, floors } = w.context.cursors.open(cursor ?? "", "everything");
    expect([page, [...(floors ?? [])]]).toEqual([null, [["ann", 1]]]);
  });

  it("is remembered of those that ingest left behind when it stopped", async () => {
    const w = bank();
    await w.context.hub.start();
    await w.change("bob");
    await settle();
    const late = w.save("ann");
    await hour(w);
    const { next } = watch(w, ALL);
    await next();
    await w.stream.publish([late]);
    await w.change("bob");
    expect(told(await next())).toBe("bob@2");
  });

  it("is not kept in memory without end", async () => {
    const w = bank();
    for (const id of names(3)) w.save(id);
    const { next } = watch(w, ALL);
    const snapshot = await next();
    const waiting = next();
    await settle();
    await w.clock.advance(2 * HUB_LIMITS.progressMs);
    const soon = await waiting;
    const seen = [snapshot, soon];
    for (let n = 0; n < 2; n++) {
      const later = next();
      await hour(w);
      seen.push(await later);
    }
    const kept = seen.map(
      ({ cursor }) => w.context.cursors.open(cursor ?? "", "everything").floors?.size ?? 0,
    );
    expect([kept[0], kept[1], kept.at(-1)]).toEqual([3, 3, 0]);
  });
});

function isComplete(frame: Frame | undefined): boolean {
  return frame?.kind === "snapshot" && frame.complete;
}

describe("a cursor", () => {
  const filter = (comparisons: number, value = "x"): CustomerFilter => ({
    kind: "or",
    filters: Array.from({ length: comparisons }, (_, n) => ({
      kind: "field",
      field: { kind: "metric", name: `balance${n}`, as: "text" },
      test: { op: "eq", value },
    })),
  });

  it("is never made that would not be taken: a filter too long for one is refused with the limit", async () => {
    const w = bank();
    const refused = (what: Watch) =>
      expect(() => frames(w.context, what, { after: null, mode: "LATEST" })).toThrow(
        expect.objectContaining({ code: "BAD_USER_INPUT", message: expect.stringContaining("4000") }),
      );
    refused({ field: "customersUpdates", filter: filter(150) });
    refused({ field: "customersUpdates", filter: filter(1, "é".repeat(2_000)) });
    refused({ field: "customerUpdates", customerId: "x".repeat(4_000) });
    const place = { at: "1-0", page: null, floors: null, afterLoss: false };
    const what: Watch = { field: "customersUpdates", filter: filter(150) };
    expect(() => w.context.cursors.sign(place, { scope: "everything", watch: what })).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT" }),
    );
    expect(w.context.hub.size()).toBe(0);
  });

  it("of the longest filter and of long names fits, and leads on or to a snapshot", async () => {
    const w = bank();
    const long: Watch = { field: "customersUpdates", filter: filter(36) };
    for (const id of names(90)) w.save(`${id}${"-".repeat(60)}`);
    for (const what of [long, ALL]) {
      const { next, stream } = watch(w, what);
      const { cursor } = await next();
      expect(cursor?.length).toBeLessThanOrEqual(LONGEST_CURSOR);
      const again = watch(w, what, { after: cursor });
      await w.change("ann");
      if (what === ALL) expect((await again.next()).kind).toBe("snapshot");
      await stream.return?.();
      await again.stream.return?.();
    }
  });
});

describe("a frame that many share", () => {
  it("says when it was sent, not when it was made for somebody else", async () => {
    const w = bank();
    await watch(w, ANN).next();
    const live = watch(w, ANN);
    const { cursor } = await live.next();
    const parked = live.next();
    await settle();
    await w.change("ann");
    const first = await parked;
    await w.clock.advance(600_000);
    const late = await watch(w, ANN, { after: cursor }).next();
    expect([told(first), told(late)]).toEqual(["ann@1", "ann@1"]);
    expect(late.age.sentMs - first.age.sentMs).toBe(600_000);
  });

  it("so does Progress while the stream stands still", async () => {
    const w = bank();
    const { next } = watch(w, ANN);
    await next();
    const times: number[] = [];
    for (let n = 0; n < 3; n++) {
      const waiting = next();
      await settle();
      await w.clock.advance(2 * HUB_LIMITS.progressMs);
      times.push((await waiting).age.sentMs);
    }
    expect(new Set(times).size).toBe(3);
  });
});

describe("a fault", () => {
  it("of the store after a Gap is told to a waiting reader, and ends the stream", async () => {
    const w = bank();
    const { next, stream } = watch(w, ANN);
    await next();
    const waiting = stream.next();
    await settle();
    w.beforeRead = () => Promise.reject(new Error("disk"));
    w.stream.restart();
    await expect(waiting).rejects.toThrow("disk");
    expect((await stream.next()).done).toBe(true);
    expect([w.context.hub.size(), w.context.hub.watched()]).toEqual([0, 0]);
  });

  it("in what an update means to some ends those with an error, and nobody else", async () => {
    const w = bank();
    const ann = watch(w, ANN);
    const slow = watch(w, ANN);
    const all = watch(w, ALL);
    for (const each of [ann, slow, all]) await each.next();
    const audience = w.context.hub.open(
      { take() {}, fail() {}, progress() {}, lost() {}, end() {} },
      ANN,
      "everything",
    );
    expect(audience).toBeInstanceOf(Audience);
    const parked = ann.stream.next();
    const idle = slow.stream.next();
    await settle();
    await w.change("ann");
    await idle;
    await parked;
    const failing = ann.stream.next();
    await settle();
    audience.weigh = () => {
      throw new Error("a bug");
    };
    await w.change("ann");
    await expect(failing).rejects.toThrow("a bug");
    await expect(slow.stream.next()).rejects.toThrow("a bug");
    expect([await all.next(), await all.next()].map(told)).toEqual(["ann@1", "ann@2"]);
    await w.change("bob");
    expect(told(await all.next())).toBe("bob@1");
    expect(w.context.hub.size()).toBe(2);
  });
});

describe("a stream that was closed before its reader", () => {
  it("is not asked again and again, and what it has later is told", async () => {
    const w = bank();
    const first = watch(w, ALL);
    await first.next();
    const { read } = w.stream;
    let answers = 0;
    const closed: typeof read = () => {
      answers += 1;
      if (answers === 100) return new Promise(() => {});
      return Promise.resolve({ kind: "entries", entries: [] });
    };
    Object.assign(w.stream, { read: closed });
    await w.change("ann");
    expect(told(await first.next())).toBe("ann@1");
    await settle();
    expect(answers).toBe(1);
    Object.assign(w.stream, { read });
    await w.change("bob");
    await w.clock.advance(500);
    expect(told(await first.next())).toBe("bob@1");
  });
});
