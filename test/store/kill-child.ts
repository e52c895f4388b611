import { systemClock } from "../../src/clock.ts";
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { localUpdates } from "../../src/updates/local/updates.ts";
import { announcement, next, pageChange, row, saving, SHAPES } from "../contract/shapes.ts";

/** Saves and publishes one revision of one customer after the other, telling its parent of each, until it is killed. */
const path = process.argv[2] ?? "";
const store = sqliteStore({ path, plan: SHAPES });
const updates = localUpdates({ path, clock: systemClock });
const ref = { customerId: "ann", table: "payments", page: "2024-05" };

for (;;) {
  const { customers, pages } = await store.load({
    customers: ["ann"],
    pages: [{ ...ref, keys: [] }],
    keys: {},
  });
  const [before] = [...customers.values()];
  const [page] = pages;
  if (before === undefined || page === undefined) throw new Error("no answer");
  const revision = before.revision + 1;
  const change = pageChange(page, { [`["${revision}"]`]: row(String(revision)) });
  const after = next(before, {
    tables: { accounts: { '["1"]': row(String(revision)) } },
    outbox: [announcement("ann", revision)],
  });
  const saved = await store.save({
    ...EMPTY_SAVE,
    customers: [saving(before, after, { pages: [change] })],
    checkpoints: [{ topic: "t", partition: 0, nextOffset: String(revision) }],
  });
  if (saved.conflicts.size > 0) throw new Error("conflict without a rival");
  await updates.publish([{ ...announcement("ann", revision), customer: after }]);
  process.send?.(revision);
}
