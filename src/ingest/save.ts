import type { Customer, Update } from "../customer/customer.ts";
import { boundOutbox } from "../customer/derived/transitions.ts";
import { EMPTY_SAVE, type CustomerSave, type Quarantined, type Save, type Saved } from "../store/store.ts";
import type { Folded } from "./apply.ts";
import { updatesOf } from "./remembered/published.ts";
import type { Shell } from "./shell.ts";

/** What is to be saved. */
export interface Saving {
  readonly folded: readonly Folded[];
  readonly quarantine: readonly Quarantined[];
  /** True when no redelivery stands behind it. */
  readonly relay: boolean;
  /** False where another save under way takes along what waited for a next write. Default true. */
  readonly takesAlong?: boolean;
}

/** What saving came to. */
export interface SaveOutcome {
  /** To be published now, rising per customer. */
  readonly updates: readonly Update[];
  /** Customers whose save left their announcements to the relay. */
  readonly left: ReadonlySet<string>;
  /** Customers somebody else saved first: load and fold them again. */
  readonly lost: readonly Folded[];
  /** Customers too large to be saved, with the reason in plain words. */
  readonly refused: readonly Unsavable[];
}

/** A customer that was folded and cannot be saved. */
export interface Unsavable {
  readonly folded: Folded;
  readonly reason: string;
}

/**
 * Saves customers with everything that waited for a next write: refusals, counts, checkpoints of batches published before,
 * confirmations. Announcements not known to be published are carried forward in the document and handed out for publishing,
 * also those of customers that did not change: a redelivered batch is all duplicates, and must still publish what the crash cut
 * off.
 */
export async function save(shell: Shell, saving: Saving): Promise<SaveOutcome> {
  const { folded, quarantine, takesAlong = true } = saving;
  const withBookkeeping = takesAlong && shell.bookkeeping.goesAlong(folded.length === 0);
  const customers = changedIn(shell, saving);
  const written = await write(shell, { customers, quarantine }, withBookkeeping);
  return outcomeOf(shell, saving, { customers, ...written });
}

/** What is to be saved of customers that changed. */
function changedIn(shell: Shell, { folded, relay }: Saving): readonly CustomerSave[] {
  const customers: CustomerSave[] = [];
  for (const { input, applied } of folded)
    if (applied.customer !== input.customer || applied.pages.length > 0)
      customers.push({
        before: input.customer,
        after: carry(shell, input.customer, applied.customer),
        pages: applied.pages,
        relay,
      });
  return customers;
}

/** Sorts who is saved from who is not, and keeps the new documents in mind. */
function outcomeOf(
  shell: Shell,
  { folded, relay }: Saving,
  { customers, conflicts, refused: reasons = NONE_REFUSED }: Saved & Pick<Save, "customers">,
): SaveOutcome {
  const saved = new Map(customers.map((part) => [part.after.customerId, part.after]));
  const updates: Update[] = [];
  const lost: Folded[] = [];
  const refused: Unsavable[] = [];
  for (const part of folded) {
    const { customer } = part.input;
    const reason = reasons.get(customer.customerId);
    if (reason !== undefined) {
      refused.push({ folded: part, reason });
      continue;
    }
    if (conflicts.has(customer.customerId)) {
      shell.documents.forget(customer.customerId);
      lost.push(part);
      continue;
    }
    const after = saved.get(customer.customerId) ?? customer;
    shell.documents.keep(after);
    updates.push(...updatesOf(after, shell.published.missing(after)));
  }
  for (const { folded: part } of refused) saved.delete(part.input.customer.customerId);
  return { updates, left: relay ? new Set(saved.keys()) : NONE, lost, refused };
}

/** True when something waits for a next write. */
export function isWaiting({ acknowledgements, tallies, confirms }: Shell): boolean {
  return acknowledgements.ready().length > 0 || !tallies.isEmpty() || !confirms.isEmpty();
}

async function write(
  shell: Shell,
  parts: Pick<Save, "customers" | "quarantine">,
  withBookkeeping: boolean,
): Promise<Saved> {
  const { acknowledgements, tallies, confirms, counted } = shell;
  const checkpoints = withBookkeeping ? acknowledgements.ready() : [];
  const whole: Save = {
    ...EMPTY_SAVE,
    ...parts,
    checkpoints,
    tallies: withBookkeeping ? tallies.take() : [],
    confirms: withBookkeeping ? confirms.take() : [],
  };
  if (isEmpty(whole)) return { conflicts: NONE };
  try {
    const saved = await shell.store.save(whole);
    counted.saved(whole, saved);
    await acknowledgements.stored(checkpoints);
    return saved;
  } catch (error) {
    // Checkpoints wait to be stored until they are, and what they vouch for is counted with them.
    for (const tally of whole.tallies) tallies.add(tally, tally.count);
    throw error;
  }
}

const NONE: ReadonlySet<string> = new Set();
const NONE_REFUSED: ReadonlyMap<string, string> = new Map();

function isEmpty({ customers, quarantine, checkpoints, tallies, confirms }: Save): boolean {
  return [customers, quarantine, checkpoints, tallies, confirms].every(({ length }) => length === 0);
}

/** Announcements a document carries at most: far more than ever wait while the stream is there. */
const MOST_ANNOUNCED = 100;

/** Takes out of the outbox what is known to be published. */
function carry({ published }: Shell, before: Customer, after: Customer): Customer {
  if (after === before) return after;
  const outbox = boundOutbox(published.missing(after), MOST_ANNOUNCED);
  return outbox.length === after.outbox.length ? after : { ...after, outbox };
}
