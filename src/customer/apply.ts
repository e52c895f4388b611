import type { Change } from "../cdc/change.ts";
import type { Applied, ApplyInput, Judged } from "./applied.ts";
import { type Announcement, type Customer, type Freshness, newCustomer, NOBODY } from "./customer.ts";
import { derive } from "./derive.ts";
import { diff } from "./diff.ts";
import { type DraftedRows, draftOf, finish, take } from "./draft.ts";
import { hasLiveRow } from "./live-rows.ts";
import { lookup, tableOf } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import { type Memory, remember } from "./versions.ts";

/**
 * Folds changes into a customer: judge and fold each, derive what follows, name what differs. The next revision carries the
 * announcement of that in its outbox; what nobody can see (a raised head, an origin) makes a revision without one.
 */
export function apply(input: ApplyInput, plan: Plan): Applied {
  const { customer, changes } = input;
  const arranged = lookup(plan);
  const draft = draftOf(input, arranged.tables);
  let memory: Memory = customer;
  const judged = changes.map((change) => {
    const table = arranged.tables.get(change.table) ?? tableOf(plan, change.table);
    const one = take(draft, change, table);
    if (isOwn(change, customer)) memory = remember(memory, change, table);
    return one;
  });
  const drafted = finish(draft);
  if (drafted.needsWhole.length > 0) return { customer, pages: [], judged, needsWhole: drafted.needsWhole };
  const next = settle({ input, drafted, memory, judged }, plan);
  return { customer: next, pages: drafted.pages, judged, needsWhole: drafted.needsWhole };
}

/** True once a customer was announced, which is when it first held a live row. */
export function isSeen({ freshness }: Customer): boolean {
  return freshness.appliedMs > 0;
}

/** A version that names another customer is not part of this one's history, although the row now is. */
function isOwn(change: Change, { customerId }: Customer): boolean {
  return change.customerId === null || change.customerId === customerId;
}

interface Batch {
  readonly input: ApplyInput;
  readonly drafted: DraftedRows;
  readonly memory: Memory;
  readonly judged: readonly Judged[];
}

/**
 * The customer's next revision, or the very same customer when nothing stored changed. Whoever is named by a change has a
 * document, even if the change was blocked: else it would depend on the order of arrival who has one.
 */
function settle({ input, drafted, memory, judged }: Batch, plan: Plan): Customer {
  const { customer: before, nowMs } = input;
  const { tables, notes, totals, pagedTables } = drafted;
  const { history, crossings } = memory;
  const isStored =
    tables !== before.tables ||
    notes !== before.notes ||
    history !== before.history ||
    crossings !== before.crossings;
  const isNew = before.revision === 0 && judged.some(({ change }) => change.op !== "truncate");
  const isDue = before.dueMs !== null && nowMs >= before.dueMs;
  if (!isStored && !isNew && !isDue) return before;
  const { customerId } = before;
  const derivable = { tables, totals, history, crossings };
  const { metrics, segments, offers, dueMs } =
    customerId === NOBODY ? before : derive(before, derivable, { plan, nowMs });
  const after = {
    customerId,
    revision: before.revision + 1,
    tables,
    notes,
    totals,
    history,
    crossings,
    metrics,
    segments,
    offers,
    freshness: before.freshness,
    dueMs,
    outbox: before.outbox,
  };
  return announce(before, after, { pagedTables, judged, nowMs });
}

/**
 * Completes a version whose freshness and outbox are still those of the one before: puts what differs into the outbox. A customer
 * that never had a live row is unseen: nobody is told of its dead ones, nor of rows that nobody owns.
 */
export function announce(
  before: Customer,
  after: Unannounced,
  {
    pagedTables,
    judged,
    nowMs,
  }: Pick<DraftedRows, "pagedTables"> & Pick<Batch, "judged"> & { nowMs: number },
): Customer {
  const { customerId, revision } = after;
  const wasSeen = isSeen(before);
  if (customerId === NOBODY || (!wasSeen && !hasLiveRow(after))) return after;
  const { changed, segments, offers } = diff(wasSeen ? before : NOTHING_SEEN, after, pagedTables);
  if (changed.length === 0) return after;
  const freshness = freshnessOf(before, judged, nowMs);
  const announcement: Announcement = { customerId, revision, changed, segments, offers, freshness };
  after.freshness = freshness;
  after.outbox = before.outbox.length === 0 ? [announcement] : [...before.outbox, announcement];
  return after;
}

type Unannounced = Customer & { freshness: Freshness; outbox: Customer["outbox"] };

const NOTHING_SEEN = newCustomer(NOBODY);

/** The newest times of the changes that were applied, or of all that led here when none was; the last ones known without any. */
function freshnessOf({ freshness }: Customer, judged: readonly Judged[], nowMs: number): Freshness {
  if (judged.length === 0) return { ...freshness, appliedMs: nowMs };
  const someApplied = judged.some(({ verdict }) => verdict === "applied");
  let sourceMs: number | null = null;
  let ingestedMs: number | null = null;
  for (const { change, verdict } of judged) {
    if (someApplied && verdict !== "applied") continue;
    if (change.sourceMs !== null && change.sourceMs > (sourceMs ?? -Infinity)) sourceMs = change.sourceMs;
    if (change.ingestedMs > (ingestedMs ?? -Infinity)) ingestedMs = change.ingestedMs;
  }
  return { sourceMs, ingestedMs, appliedMs: nowMs };
}
