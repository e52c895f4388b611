import { chanceFrom, type Chance } from "./chance.ts";

/** The pipeline of the run: one row per customer, and many on pages, with what is derived from them. */
export const PIPELINE = `
name: faults
tables:
  people:
    topics: [faults.public.people]
    key: [id]
    customer: id
    rows: one
    columns:
      id: { type: text }
      score: { type: int }
  payments:
    topics: [faults.public.payments]
    key: [id]
    customer: customer_id
    rows: many
    page: { column: posted_at, period: month }
    columns:
      id: { type: bigint }
      customer_id: { type: text }
      amount: { type: decimal, scale: 2 }
      posted_at: { type: timestamp }
    expect:
      amount_present: { that: 'row.amount != null', else: quarantine }
metrics:
  spend: { description: Total., table: payments, sum: amount }
  payments: { description: Count., table: payments, count: true }
segments:
  spending:
    description: By total.
    tiers: { HIGH: 'metrics.spend >= 2000.0', MEDIUM: 'metrics.spend >= 500.0' }
    otherwise: LOW
`;

export const PEOPLE = "faults.public.people";
export const PAYMENTS = "faults.public.payments";
export const PARTITIONS = 4;

/** A record on its way to Kafka. */
export interface Produced {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: string | null;
  /** `poison` marks what must end in quarantine; `index` numbers the records, so that one that Kafka never got is noticed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a history is made of. */
export interface HistoryOptions {
  readonly seed: number;
  readonly customers: number;
}

/** Of these customers nothing comes late, twice, moves or is poisoned: each revision of theirs is announced, so each is missed. */
export const WATCHED = 20;
/** One for each partition of payments, to see how soon it moves again after a fault. */
export const PROBES = Array.from({ length: PARTITIONS }, (_, at) => `probe-${at}`);
/** Names of the watched customers. */
export const WATCHED_IDS = Array.from({ length: WATCHED }, (_, at) => `watched-${at}`);
/** Customers with every revision announced. */
export const isWatched = (customerId: string): boolean => /^(watched|probe)-/.test(customerId);

const START_MS = Date.UTC(2026, 0, 1);
const MONTH_MS = 30 * 86_400_000;
const FIRST_LSN = 24_000_000_000;

interface Payment {
  readonly id: number;
  readonly customer: string;
  readonly posted: string;
}

/** Makes records without end, the same for the same seed. */
export class History {
  readonly #chance: Chance;
  readonly #customers: number;
  /** Payments that may still change; forgotten at random, so that it stays small. */
  readonly #open: Payment[] = [];
  /** Records that wait to come late. */
  readonly #late: Produced[] = [];
  #lsn = FIRST_LSN;
  #index = 0;
  #payments = 0;

  constructor({ seed, customers }: HistoryOptions) {
    this.#chance = chanceFrom(seed);
    this.#customers = customers;
  }

  /** How many records were made. */
  get made(): number {
    return this.#index;
  }

  /** The next records: about so many. */
  take(count: number): readonly Produced[] {
    const records: Produced[] = [];
    while (records.length < count) records.push(...this.#some());
    return records;
  }

  /** One payment of each probe customer, so in each partition. */
  probes(): readonly Produced[] {
    return PROBES.map((customer, partition) => ({ ...this.#payment(customer), partition }));
  }

  /** What is still held back. */
  rest(): readonly Produced[] {
    return this.#late.splice(0);
  }

  #some(): readonly Produced[] {
    const chance = this.#chance;
    if (chance.next() < 0.05) return [this.#clean()];
    const what = chance.next();
    if (what < 0.003) return [this.#poison()];
    const record =
      what < 0.25 ? this.#person() : what < 0.75 ? this.#payment(this.#customer()) : this.#later();
    const records: Produced[] = [];
    if (this.#late.length > 30) records.push(...this.#late.splice(chance.below(this.#late.length), 1));
    const fate = chance.next();
    if (fate < 0.05) this.#late.push(record);
    else records.push(record);
    if (fate > 0.95) records.push(this.#numbered(record));
    if (record.headers["op"] === "d") records.push(this.#numbered({ ...record, value: null }));
    return records;
  }

  #customer(): string {
    return `c${Math.floor(this.#customers * this.#chance.next() ** 2)}`;
  }

  #clean(): Produced {
    const { id, customer, posted, cents } = this.#newPayment(this.#chance.pick(WATCHED_IDS));
    return this.#of({ id, customer, posted }, "c", cents);
  }

  #person(): Produced {
    const id = this.#customer();
    const row = { id, score: this.#chance.below(100) };
    // Any partition: the changes of one row reach us in any order, through several processes.
    const partition = this.#chance.below(PARTITIONS);
    return this.#record({ topic: PEOPLE, op: "u", key: `{"id":"${id}"}`, row, partition });
  }

  #newPayment(customer: string): Payment & { readonly cents: number } {
    this.#payments += 1;
    const posted = new Date(START_MS + this.#chance.below(6) * MONTH_MS).toISOString();
    return { id: this.#payments, customer, posted, cents: 1 + this.#chance.below(9_999) };
  }

  #payment(customer: string): Produced {
    const { cents, ...payment } = this.#newPayment(customer);
    if (!isWatched(customer)) this.#open.push(payment);
    return this.#of(payment, "c", cents);
  }

  /** Another amount, another owner, or the end of a payment. */
  #later(): Produced {
    const chance = this.#chance;
    if (this.#open.length === 0) return this.#payment(this.#customer());
    const at = chance.below(this.#open.length);
    const [payment] = this.#open.splice(at, 1);
    if (payment === undefined) throw new Error("no payment");
    if (chance.next() < 0.3) return this.#of(payment, "d", 0);
    const moved = chance.next() < 0.1 ? { ...payment, customer: this.#customer() } : payment;
    if (this.#open.length < 5_000) this.#open.push(moved);
    return this.#of(moved, "u", 1 + chance.below(9_999));
  }

  #of({ id, customer, posted }: Payment, op: "c" | "u" | "d", cents: number): Produced {
    const row = { id, customer_id: customer, amount: (cents / 100).toFixed(2), posted_at: posted };
    return this.#record({ topic: PAYMENTS, op, key: `{"id":${id}}`, row, partition: id % PARTITIONS });
  }

  #poison(): Produced {
    this.#payments += 1;
    const id = this.#payments;
    const record = this.#of({ id, customer: this.#customer(), posted: "2026-02-01T00:00:00.000Z" }, "c", 1);
    const value = this.#chance.pick([
      "no JSON { at all",
      String(record.value).replace(/"amount":"[^"]*"/, '"amount":null'),
      String(record.value).replace(/"amount":"[^"]*"/, '"amount":"twelve"'),
    ]);
    return { ...record, value, headers: { ...record.headers, poison: "yes" } };
  }

  #record({ topic, op, key, row, partition }: Making): Produced {
    this.#lsn += 64;
    const source = {
      ...{
        version: "3.7.0.Final",
        connector: "postgresql",
        name: "faults",
        ts_ms: START_MS,
        snapshot: "false",
      },
      ...{ db: "bank", sequence: `["${this.#lsn - 64}","${this.#lsn}"]`, schema: "public" },
      ...{ table: topic.split(".").at(-1), txId: this.#lsn, lsn: this.#lsn, xmin: null },
    };
    const images = op === "d" ? { before: row, after: null } : { before: null, after: row };
    const value = JSON.stringify({ ...images, source, transaction: null, op, ts_ms: START_MS + 3 });
    return this.#numbered({ topic, partition, key, value, headers: { op } });
  }

  #numbered(record: Produced): Produced {
    const numbered = { ...record, headers: { ...record.headers, index: String(this.#index) } };
    this.#index += 1;
    return numbered;
  }
}

interface Making {
  readonly topic: string;
  readonly op: "c" | "u" | "d";
  readonly key: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly partition: number;
}
