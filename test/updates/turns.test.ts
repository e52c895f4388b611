import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { silentLog } from "../../src/log.ts";
import { createHub } from "../../src/updates/hub.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import { update } from "../contract/shapes.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const UPDATES = 1_000;

it.each([
  ["the embedded stream", 10],
  ["memory", 2 * UPDATES],
])("however many read the past from %s, everybody else has a turn between two pages", async (_, ring) => {
  const clock = manualClock();
  const folder = mkdtempSync(join(tmpdir(), "customer360-turns-"));
  const stream = localUpdates({ path: join(folder, "store.db"), clock });
  const hub = createHub({ updates: stream, clock, log: silentLog, limits: { ring } });
  await hub.start();
  const begin = hub.place().at;
  await stream.publish(Array.from({ length: UPDATES }, (_one, n) => update("ann", n + 1)));
  await hub.caughtUp(AbortSignal.timeout(5_000));
  let pages = 0;
  const comeBack = async () => {
    for (let at = begin, left = UPDATES; left > 0;) {
      const read = await hub.after({ at, seq: null }, AbortSignal.timeout(5_000));
      if (read.kind === "gap") throw new Error(read.reason);
      pages += 1;
      left -= read.slots.length;
      at = read.slots.at(-1)?.entry.cursor ?? at;
    }
  };
  const all = Promise.all(Array.from({ length: 20 }, comeBack)).then(() => true);
  let most = 0;
  for (let before = 0, isOver = false; !isOver; before = pages) {
    isOver = await Promise.race([all, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
    most = Math.max(most, pages - before);
  }
  expect(pages).toBeGreaterThanOrEqual(20);
  expect(most).toBeLessThanOrEqual(2);
  await hub.close();
  await stream.close();
  rmSync(folder, { recursive: true, force: true });
});
