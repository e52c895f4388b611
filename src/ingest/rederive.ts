import type { Clock } from "../clock.ts";
import type { Page } from "../customer/customer.ts";
import type { Plan } from "../customer/plan.ts";
import { rederive, type Rederiving } from "../customer/rederive.ts";
import type { Log } from "../log.ts";
import { customerIn, EMPTY_SAVE, type CustomerSave, type Everyone, type Store } from "../store/store.ts";
import { checkMeaning, derivationOf, keptMemory, type Derivation } from "./derivation.ts";

/** What deriving everything anew is made of. */
export interface RederiveOptions {
  readonly plan: Plan;
  readonly store: Pick<Store, "load" | "save"> & Everyone;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the pass early; the next start goes on where it ended. */
  readonly signal: AbortSignal;
}

/** Customers derived at once; their pages are in memory whole. */
const STEP_CUSTOMERS = 50;

/** How often the pass says how far it is, customers. */
const TELL_EVERY = 5_000;

/**
 * Brings stored documents under the plan. A document is derived when a change reaches it, so one stored under another pipeline
 * file would keep the old file's metrics until then, and its pages totals without the new ones for ever. So before anything
 * else a store that was derived under another plan is derived anew from its rows, in id order; how far is kept in the store.
 * Throws STORE_INCOMPATIBLE when its rows mean something else now.
 */
export async function rederiveAll(options: RederiveOptions): Promise<void> {
  const { plan, store, log } = options;
  const text = await store.derivation();
  const wanted = derivationOf(plan);
  // A store from before derivations were noted is held to have been derived under the same tables.
  const found = text === null ? { ...wanted, version: "" } : (JSON.parse(text) as Derivation);
  if (found.version === wanted.version && found.pending === undefined) return;
  checkMeaning(found, wanted);
  const resumed = found.version === wanted.version ? found.pending : undefined;
  const kept = resumed?.kept ?? keptMemory(found, wanted);
  const begun = Object.keys(wanted.memory).filter((name) => !kept.includes(name));
  if (text !== null)
    log.info("the pipeline file changed: deriving every customer anew", { version: wanted.version });
  if (begun.length > 0 && text !== null)
    log.warn("these remember only what is stored now, not what was before", { names: begun.join(", ") });
  // Noted before the first save: what is half done must never pass for the former derivation.
  const isDone = await pass(options, { ...wanted, pending: { kept, after: resumed?.after ?? null } });
  if (isDone) await store.noteDerivation(JSON.stringify(wanted));
}

/** Derives step by step; false when told to stop before the end. */
async function pass(
  options: RederiveOptions,
  derivation: Derivation & Required<Pick<Derivation, "pending">>,
) {
  const { plan, store, clock, log, signal } = options;
  const { kept } = derivation.pending;
  let { after } = derivation.pending;
  for (let done = 0; ;) {
    await store.noteDerivation(JSON.stringify({ ...derivation, pending: { kept, after } }));
    if (signal.aborted) return false;
    const ids = await store.everyone(after, STEP_CUSTOMERS);
    const last = ids.at(-1);
    if (last === undefined) return true;
    await step(store, ids, { plan, nowMs: clock.nowMs(), kept: new Set(kept) });
    after = last;
    done += ids.length;
    if (done % TELL_EVERY < ids.length) log.info("deriving anew", { customers: done });
  }
}

async function step(store: RederiveOptions["store"], ids: readonly string[], how: Rederiving): Promise<void> {
  for (let pending = ids; pending.length > 0;) {
    const refs = await store.pagesOf(pending);
    const loaded = await store.load({
      customers: pending,
      pages: refs.map((ref) => ({ ...ref, keys: "all" as const })),
      keys: {},
    });
    const byCustomer = new Map<string, Page[]>();
    for (const page of loaded.pages) {
      const own = byCustomer.get(page.customerId);
      if (own === undefined) byCustomer.set(page.customerId, [page]);
      else own.push(page);
    }
    const saves: CustomerSave[] = [];
    for (const id of pending) {
      const before = customerIn(loaded, id);
      const { customer: after, pages: changes } = rederive(before, byCustomer.get(id) ?? [], how);
      if (after === before) continue;
      saves.push({ before, after, pages: changes, relay: after.outbox.length > 0 });
    }
    if (saves.length === 0) return;
    const { conflicts } = await store.save({ ...EMPTY_SAVE, customers: saves });
    pending = pending.filter((id) => conflicts.has(id));
  }
}
