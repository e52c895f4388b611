import { object, text, type Json } from "./json.ts";

/** One state of a customer's counters, as the marketing team's collector knows them. */
export interface Counters {
  /** Decimal text, or null for the records that lost it. */
  readonly customerId: string | null;
  readonly concertTickets: number;
  readonly comedyShows: number;
  readonly sportEvents: number;
  readonly onlineTransactions: number | null;
  /** Milliseconds since 1970, or null. */
  readonly mortgageMs: number | null;
  readonly updatedMs: number;
}

// The declared schema matches neither the names nor the units of what is sent; consumers have to know better.
const SCHEMA =
  '{"type":"struct","fields":[{"type":"struct","fields":[{"type":"date","optional":true,"field":"date"},{"type":"int32","optional":true,"field":"number_of_dr_visits"},{"type":"int32","optional":false,"field":"customer_id"},{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"datetime_created"},{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"datetime_updated"}],"optional":true,"name":"claim.Value","field":"after"}],"optional":false,"name":"bankserver1.bank.holding.Envelope"}';

// Nothing in the source block ever moves.
const SOURCE =
  '{"version":"1.1.1.Final","connector":"postgresql","name":"bankserver1","ts_ms":1589121006548,"snapshot":"false","db":"start_data_engineer","schema":"bank","table":"holding","txId":492,"lsn":24563232,"xmin":null}';

/** A `purchase_trends` value: op `i`, or `u` when it ends with a mortgage; before equals after, created equals updated. */
export function patternsValue(counters: Counters): Json {
  const image = object({
    date: text("2022-01-01"),
    number_of_concert_tickets: String(counters.concertTickets),
    number_of_comedy_shows: String(counters.comedyShows),
    number_of_sport_events: String(counters.sportEvents),
    number_of_online_txns: String(counters.onlineTransactions),
    home_mortgage_purchased_ts: String(counters.mortgageMs),
    customer_id: counters.customerId === null ? "null" : text(counters.customerId),
    datetime_created: String(counters.updatedMs),
    datetime_updated: String(counters.updatedMs),
  });
  const op = counters.mortgageMs === null ? "i" : "u";
  const payload = `{"before":${image},"after":${image},"source":${SOURCE},"op":"${op}","ts_ms":1589121006813,"transaction":null}`;
  return `{"payload":${payload},"schema":${SCHEMA},"processingTime":${text(new Date(counters.updatedMs).toISOString())}}`;
}

/** One movement of a checking account. */
export interface Movement {
  /** Decimal text; sent as a number. */
  readonly customerId: string;
  readonly scheduled: boolean;
  readonly cents: number;
  readonly debit: boolean;
  readonly atMs: number;
  /** Whole units of money. */
  readonly initialBalance: number;
}

/** A `checking_acct` value: flat, without an envelope or an identity; the direction is a floating point 0 or 1. */
export function checkingValue(movement: Movement): Json {
  return object({
    customer_id: movement.customerId,
    scheduled_payment: movement.scheduled ? "1" : "0",
    txn_amount: String(movement.cents / 100),
    debit_or_credit: movement.debit ? "1.0" : "0.0",
    updt_ts: text(new Date(movement.atMs).toISOString().replace("Z", "000")),
    initial_balance: String(movement.initialBalance),
  });
}
