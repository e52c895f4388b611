import type { Change, Position } from "../cdc/change.ts";
import { customerIn, EMPTY_SAVE } from "../store/store.ts";
import { applyAll } from "./apply.ts";
import { save } from "./save.ts";
import type { Shell } from "./shell.ts";

/** Customers swept at once. */
const SWEEP_CUSTOMERS = 200;

/**
 * Truncates a table: the watermark is saved first, so that whatever arrives from here on is judged against it, then
 * everybody who holds rows is swept. A crash in between is repaired by the redelivered truncate, which sweeps again; a swept
 * customer no longer holds rows, so nothing but the relay leads to what its save announced.
 */
export async function sweep(shell: Shell, truncates: readonly Change[]): Promise<void> {
  for (const truncate of truncates) {
    const watermark = await watermarkOf(shell, truncate.table);
    const { table, position } = truncate;
    if (watermark !== undefined && position < watermark) {
      shell.tallies.add({ table, kind: "verdict", label: "late" });
      continue;
    }
    if (position !== watermark) await shell.store.save({ ...EMPTY_SAVE, truncates: { [table]: position } });
    await sweepHolders(shell, truncate);
    shell.tallies.add({ table, kind: "verdict", label: position === watermark ? "duplicate" : "applied" });
  }
}

async function watermarkOf({ store }: Shell, table: string): Promise<Position | undefined> {
  const { truncates } = await store.load({ customers: [], pages: [], keys: {} });
  return truncates[table];
}

async function sweepHolders(shell: Shell, truncate: Change): Promise<void> {
  let after: string | null = null;
  for (;;) {
    const holders: readonly string[] = await shell.store.holders(truncate.table, after, SWEEP_CUSTOMERS);
    const last = holders.at(-1);
    if (last === undefined) return;
    await sweepCustomers(shell, truncate, holders);
    after = last;
  }
}

async function sweepCustomers(shell: Shell, truncate: Change, customers: readonly string[]): Promise<void> {
  for (let pending = customers; pending.length > 0;) {
    const loaded = await shell.store.load({ customers: pending, pages: [], keys: {} });
    const nowMs = shell.clock.nowMs();
    const inputs = pending.map((customerId) => ({
      customer: customerIn(loaded, customerId),
      pages: [],
      changes: [truncate],
      truncates: loaded.truncates,
      nowMs,
    }));
    const { folded, poison } = await applyAll(shell, inputs);
    for (const { reason } of poison)
      throw new Error(`a truncate of ${truncate.table} cannot be applied: ${reason}`);
    const saving = { folded, quarantine: [], relay: true };
    const { updates, left, lost, refused } = await save(shell, saving);
    for (const { reason } of refused)
      throw new Error(`a truncate of ${truncate.table} cannot be applied: ${reason}`);
    await shell.outlet.publish(updates, left);
    pending = lost.map(({ input }) => input.customer.customerId);
  }
}
