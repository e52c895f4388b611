import type { SourceRecord } from "../cdc/change.ts";
import type { Commit } from "./debezium.ts";
import { accountCount, FAULTS, people, type People } from "./people.ts";
import { draws, type Draws } from "./random.ts";
import { schedule, type Kind, type Visit } from "./schedule.ts";
import { accountsTable, cardTable, customersTable } from "./tables.ts";
import type { Timeline } from "./timeline.ts";

/**
 * A living retail bank, as a stream of slots. The first slots are the snapshot, one customer each; every slot after it is one
 * visit to a customer. What a slot holds depends on the seed, the number of customers and the timeline only, and is made
 * without making the slots before it: a restart goes on anywhere at once, in no memory.
 */
export interface Bank {
  /** Number of slots of the snapshot. */
  readonly snapshotSlots: number;
  /** The records of one slot, in the order sent. Their offsets rise with the slots, with holes, like a compacted topic's. */
  records(slot: number): readonly SourceRecord[];
}

/** Shares of visits whose records do not come once, at once and in order. */
export const DISORDER = {
  /** The record comes only after the customer's next one of the same kind. */
  late: 0.03,
  /** The first record of the visit is sent twice. */
  duplicate: 0.02,
  /** Of two changes of one account in one transaction, the newer comes first. */
  swapped: 0.05,
  /** A card transaction comes only after its own deletion. */
  afterDelete: 0.005,
  /** A card transaction is corrected two visits later. */
  corrected: 0.04,
} as const;

/** A customer's newest card transactions that stay; older ones are deleted. */
export const CARD_TRANSACTIONS_KEPT = 40;

/** Every so many account visits the savings pot is closed and another one opened. */
const POT_LIFE = 12;

/** What makes two banks the same: equal options, equal bytes. */
export interface BankOptions {
  readonly seed: number;
  readonly customers: number;
  /** When the bank's life begins, milliseconds since 1970. */
  readonly startMs: number;
  readonly timeline: Timeline;
}

/** A record before it has an offset. `again`: the very record before it, delivered once more. */
interface Draft {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: string | null;
  readonly again?: boolean;
}

const KIND_LABEL: Readonly<Record<Kind, number>> = {
  card: 11,
  patterns: 12,
  checking: 13,
  account: 14,
  customer: 15,
};
const PARTITIONS = 3;
const OFFSETS_PER_SLOT = 16;
const DAY_MS = 86_400_000;
const LSN_BASE = 26_000_000_000n;
const LSN_PER_SLOT = 64n;
const SNAPSHOT_CARDS = 3;

/** What the kinds of visits share. */
interface Ledger {
  readonly draw: Draws;
  readonly folk: People;
  /** The commit of change `part` of a visit; of the snapshot when the version is negative. */
  commit(visit: Visit, op: Commit["op"], part: number): Commit;
  ms(visit: Visit): number;
  /** Whether a visit is among this share of its kind. */
  among(visit: Visit, share: number): boolean;
}

function ledger(options: BankOptions): Ledger {
  const draw = draws(options.seed);
  const plan = schedule(options.customers);
  const slotOf = (visit: Visit) =>
    visit.version < 0 ? visit.customer : options.customers + plan.step(visit);
  const ms = (visit: Visit) => options.timeline.ms(slotOf(visit));
  return {
    draw,
    folk: people(draw, options.startMs),
    ms,
    commit(visit, op, part) {
      const slot = visit.version < 0 ? 0n : BigInt(slotOf(visit) + 1);
      const lsn = LSN_BASE + slot * LSN_PER_SLOT + BigInt(visit.version < 0 ? 0 : part * 8);
      return { op, lsn, transaction: 700 + Number(slot), commitMs: ms(visit) };
    },
    among: (visit, share) =>
      visit.version >= 0 &&
      draw.share(KIND_LABEL[visit.kind], visit.customer, visit.version, share * 1e6) < share,
  };
}

function partitionOf(id: string): number {
  return Number(BigInt(id) % BigInt(PARTITIONS));
}

function customerDraft(book: Ledger, visit: Visit): Draft {
  const id = book.folk.customerId(visit.customer);
  const after = book.folk.customerRow(visit.customer, visit.version);
  const before = visit.version < 0 ? null : book.folk.customerRow(visit.customer, visit.version - 1);
  const commit = book.commit(visit, visit.version < 0 ? "r" : "u", 0);
  return {
    topic: customersTable.topic,
    partition: partitionOf(id),
    key: customersTable.key(id),
    value: customersTable.value({ before, after }, commit),
  };
}

/** One account's change: `part` tells its place in the visit's transaction and, with the version, its balance. */
function accountDraft(
  book: Ledger,
  visit: Visit,
  change: { account: number; op: Commit["op"]; part: number },
): Draft {
  const { account, op, part } = change;
  const opened = op === "c" ? 1 : 0;
  const generation = account === 2 && visit.version >= 0 ? Math.floor(visit.version / POT_LIFE) + opened : 0;
  const id = book.folk.accountId(visit.customer, account, generation);
  const row = (version: number) => book.folk.accountRow(visit.customer, { account, version, generation });
  const latest = visit.version * 2 + part;
  const previous =
    part === 1 ? latest - 1 : Math.max(-2, (visit.version - accountCount(visit.customer)) * 2 + 1);
  return {
    topic: accountsTable.topic,
    partition: partitionOf(id),
    key: accountsTable.key(id),
    value: accountsTable.value(
      {
        before: op === "r" || op === "c" ? null : row(previous),
        after: op === "d" ? null : row(latest),
      },
      book.commit(visit, op, part),
    ),
  };
}

function accountVisit(book: Ledger, visit: Visit): readonly Draft[] {
  const account = visit.version % accountCount(visit.customer);
  if (account === 2 && visit.version % POT_LIFE === POT_LIFE - 1) {
    const closed = accountDraft(book, visit, { account, op: "d", part: 0 });
    return [closed, { ...closed, value: null }, accountDraft(book, visit, { account, op: "c", part: 1 })];
  }
  const booked = accountDraft(book, visit, { account, op: "u", part: 0 });
  const charged = accountDraft(book, visit, { account, op: "u", part: 1 });
  return book.among(visit, DISORDER.swapped) ? [charged, booked] : [booked, charged];
}

function cardDraft(book: Ledger, visit: Visit, op: "r" | "c" | "u"): Draft {
  const key = String((visit.customer + 1) * 1_000_000_000 + visit.version);
  // What the snapshot saw was bought on the days before.
  const atMs = book.ms(visit) + Math.min(0, visit.version) * DAY_MS;
  const state = { version: visit.version, atMs };
  const later = { ...visit, version: visit.version + CORRECTED_AFTER };
  const row = (corrected: boolean) => book.folk.cardRow(visit.customer, { ...state, corrected });
  return {
    topic: cardTable.topic,
    partition: partitionOf(key),
    key: cardTable.key(key),
    value: cardTable.value(
      { before: null, after: row(op === "u") },
      op === "u" ? book.commit(later, "u", 1) : book.commit(visit, op, 0),
    ),
  };
}

const CORRECTED_AFTER = 2;

function cardDeletion(book: Ledger, visit: Visit): readonly Draft[] {
  const gone = { ...visit, version: visit.version - CARD_TRANSACTIONS_KEPT };
  const id = String((gone.customer + 1) * 1_000_000_000 + gone.version);
  const before = `{"id":${id},"customer_id":null,"account_id":null,"amount":null,"category":null,"merchant":null,"online":null,"posted_at":null}`;
  const deleted: Draft = {
    topic: cardTable.topic,
    partition: partitionOf(id),
    key: cardTable.key(id),
    value: cardTable.value({ before, after: null }, book.commit(visit, "d", 2)),
  };
  const lost = book.among(gone, DISORDER.afterDelete) ? [cardDraft(book, gone, "c")] : [];
  return [deleted, { ...deleted, value: null }, ...lost];
}

function cardVisit(book: Ledger, visit: Visit): readonly Draft[] {
  const back = (versions: number): Visit => ({ ...visit, version: visit.version - versions });
  const held = (of: Visit) => book.among(of, DISORDER.late) || book.among(of, DISORDER.afterDelete);
  const late = back(1);
  const corrected = back(CORRECTED_AFTER);
  return [
    ...(held(visit) ? [] : [cardDraft(book, visit, "c")]),
    ...(book.among(late, DISORDER.late) && !book.among(late, DISORDER.afterDelete)
      ? [cardDraft(book, late, "c")]
      : []),
    ...(book.among(corrected, DISORDER.corrected) ? [cardDraft(book, corrected, "u")] : []),
    ...(visit.version >= CARD_TRANSACTIONS_KEPT ? cardDeletion(book, visit) : []),
  ];
}

/** A visit of the two marketing topics: random keys, so one customer's records spread over all partitions. */
function feedDraft(book: Ledger, visit: Visit): Draft {
  const patterns = visit.kind === "patterns";
  const labels = [KIND_LABEL[visit.kind], visit.customer, visit.version + 1] as const;
  const atMs = visit.version < 0 ? book.ms(visit) - book.folk.lifetimeMs(visit.customer) : book.ms(visit);
  const state = { version: visit.version, atMs, anonymous: book.among(visit, FAULTS.customerMissing) };
  return {
    topic: patterns ? "purchase_trends" : "checking_acct",
    partition: book.draw.below(PARTITIONS, ...labels, 1),
    key: book.draw.hex(...labels, 2),
    value: patterns ? book.folk.patterns(visit.customer, state) : book.folk.checking(visit.customer, state),
  };
}

function feedVisit(book: Ledger, visit: Visit): readonly Draft[] {
  const before: Visit = { ...visit, version: visit.version - 1 };
  return [
    ...(book.among(visit, DISORDER.late) ? [] : [feedDraft(book, visit)]),
    ...(book.among(before, DISORDER.late) ? [feedDraft(book, before)] : []),
  ];
}

function visitDrafts(book: Ledger, visit: Visit): readonly Draft[] {
  switch (visit.kind) {
    case "card":
      return cardVisit(book, visit);
    case "account":
      return accountVisit(book, visit);
    case "customer":
      return [customerDraft(book, visit)];
    case "patterns":
    case "checking":
      return feedVisit(book, visit);
  }
}

/** The snapshot of one customer: what the connector read before it began to stream, and the first of each feed. */
function snapshotDrafts(book: Ledger, customer: number): readonly Draft[] {
  const seen = (kind: Kind): Visit => ({ customer, kind, version: -1 });
  const accounts = Array.from({ length: accountCount(customer) }, (_, account) =>
    accountDraft(book, seen("account"), { account, op: "r", part: 0 }),
  );
  const cards = Array.from({ length: SNAPSHOT_CARDS }, (_, n) =>
    cardDraft(book, { customer, kind: "card", version: -1 - n }, "r"),
  );
  return [
    customerDraft(book, seen("customer")),
    ...accounts,
    ...cards,
    feedDraft(book, seen("patterns")),
    feedDraft(book, seen("checking")),
  ];
}

/** A checking movement has no identity but its coordinates, so only a redelivery of the very record may repeat it. */
function doubled(drafts: readonly Draft[]): readonly Draft[] {
  const [first] = drafts;
  if (first === undefined) return drafts;
  return [first, { ...first, again: first.topic === "checking_acct" }, ...drafts.slice(1)];
}

const encoder = new TextEncoder();

/** The bank of these options. */
export function bank(options: BankOptions): Bank {
  const book = ledger(options);
  const plan = schedule(options.customers);
  const drafts = (slot: number): readonly Draft[] => {
    if (slot < options.customers) return snapshotDrafts(book, slot);
    const visit = plan.visit(slot - options.customers);
    const made = visitDrafts(book, visit);
    return book.among(visit, DISORDER.duplicate) ? doubled(made) : made;
  };
  return {
    snapshotSlots: options.customers,
    records(slot) {
      const timestampMs = options.timeline.ms(slot);
      return drafts(slot).map((draft, n) => ({
        topic: draft.topic,
        partition: draft.partition,
        offset: String(slot * OFFSETS_PER_SLOT + (draft.again === true ? n - 1 : n)),
        timestampMs,
        key: encoder.encode(draft.key),
        value: draft.value === null ? null : encoder.encode(draft.value),
        headers: {},
      }));
    },
  };
}
