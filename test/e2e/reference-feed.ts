import { randomBytes } from "node:crypto";

const DAY = 86_400_000;
const BEGUN = Date.UTC(2022, 0, 1);

/** Customers of the feed: the texts "0" to "9". */
const CUSTOMERS = 10;

/** What becomes of one customer, by a calculation of its own: amounts in cents. */
export interface Expected {
  readonly onlineTransactions: number;
  readonly tier: "LOW" | "MEDIUM" | "HIGH";
  readonly lifetimeDays: number;
  readonly mortgage: boolean;
  readonly debits: number;
  readonly credits: number;
  readonly opening: number;
}

/** One record of one of the two topics. */
export interface FeedRecord {
  readonly topic: "purchase_trends" | "checking_acct";
  readonly key: string;
  readonly value: string;
}

/** The feed and what it must lead to, by customer. */
export interface Feed {
  readonly records: readonly FeedRecord[];
  readonly expected: ReadonlyMap<string, Expected>;
}

/** The days that a customer's generator runs at most. */
const DAYS = 60;

/** What never moves in an envelope, however much happens. */
const STANDING = {
  source: {
    ...{ version: "1.1.1.Final", connector: "postgresql", name: "bankserver1", ts_ms: 1589121006548 },
    ...{ snapshot: "false", db: "start_data_engineer", schema: "bank", table: "holding" },
    ...{ txId: 492, lsn: 24563232, xmin: null },
  },
  ts_ms: 1589121006813,
  transaction: null,
};

const SCHEMA = {
  type: "struct",
  name: "claim.Value",
  fields: [
    { type: "int32", optional: false, field: "customer_id" },
    { type: "int64", optional: true, name: "io.debezium.time.MicroTimestamp", field: "datetime_updated" },
  ],
};

/**
 * What the generator of the reference pipeline sends: ten customers, a state of each a day, until a mortgage ends it; a
 * movement of the checking account beside each. Random keys, op `i` or `u`, nothing but `datetime_updated` to order by, which
 * is milliseconds and said to be microseconds; ids that are texts on one topic and numbers on the other. Beyond the
 * generator, a tenth of the states and each customer's last are sent twice, and all are sent in an order of their own.
 */
export function referenceFeed(random: () => number): Feed {
  const records: FeedRecord[] = [];
  const expected = new Map<string, Expected>();
  for (let customer = 0; customer < CUSTOMERS; customer += 1) {
    const opening = 100 * Math.floor(random() * 20_000);
    let [debits, credits, online, last] = [0, 0, 0, 0];
    let mortgage = false;
    let state: FeedRecord | null = null;
    // Some customers are young: their online count stays low.
    const days = 1 + Math.floor(random() * (customer < 4 ? 4 * (customer + 1) : DAYS));
    for (let day = 0; day < days && !mortgage; day += 1) {
      online += 1;
      last = day;
      mortgage = day >= 10 && random() < 0.05;
      state = trend({ customer, day, online, mortgage });
      records.push(state);
      if (random() < 0.1) records.push({ ...state, key: key() });
      const cents = 100 * Math.floor(random() * 100);
      const debit = random() < 0.7;
      if (debit) debits += cents;
      else credits += cents;
      records.push(movement({ customer, day, cents, debit, opening }));
    }
    if (state !== null) records.push({ ...state, key: key() });
    const tier = online <= 2 ? "LOW" : online <= 10 ? "MEDIUM" : "HIGH";
    expected.set(String(customer), {
      ...{ onlineTransactions: online, tier, lifetimeDays: last, mortgage },
      ...{ debits, credits, opening },
    });
  }
  return { records: shuffled(records, random), expected };
}

function key(): string {
  return randomBytes(16).toString("hex");
}

function trend(state: {
  readonly customer: number;
  readonly day: number;
  readonly online: number;
  readonly mortgage: boolean;
}): FeedRecord {
  const at = BEGUN + state.day * DAY;
  const row = {
    date: "2022-01-01",
    number_of_concert_tickets: 5 + (state.day % 3),
    number_of_comedy_shows: 0,
    number_of_sport_events: 2,
    number_of_online_txns: state.online,
    home_mortgage_purchased_ts: state.mortgage ? at : null,
    customer_id: String(state.customer),
    datetime_created: at,
    datetime_updated: at,
  };
  const payload = { before: row, after: row, ...STANDING, op: state.mortgage ? "u" : "i" };
  const value = JSON.stringify({ payload, schema: SCHEMA, processingTime: "2022-01-01 00:00:00" });
  return { topic: "purchase_trends", key: key(), value };
}

function movement(one: {
  readonly customer: number;
  readonly day: number;
  readonly cents: number;
  readonly debit: boolean;
  readonly opening: number;
}): FeedRecord {
  const value = JSON.stringify({
    customer_id: one.customer,
    scheduled_payment: one.day % 2,
    txn_amount: one.cents / 100,
    debit_or_credit: one.debit ? 1 : 0,
    updt_ts: new Date(BEGUN + one.day * DAY).toISOString(),
    initial_balance: one.opening / 100,
  });
  return { topic: "checking_acct", key: key(), value };
}

function shuffled<T>(all: readonly T[], random: () => number): readonly T[] {
  const deck = all.map((one) => ({ one, at: random() }));
  return deck.sort((a, b) => a.at - b.at).map(({ one }) => one);
}
