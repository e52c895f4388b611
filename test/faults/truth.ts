import { PAYMENTS, PEOPLE } from "./history.ts";

/** A record as it lies in Kafka. */
export interface LyingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a customer must look like. */
export interface TrueCustomer {
  score: number | null;
  /** Cents by payment id. */
  readonly payments: Map<string, number>;
}

interface TrueRow {
  readonly lsn: number;
  readonly customer: string;
  /** Null for a row that was deleted. */
  readonly value: number | null;
}

interface Envelope {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly source: { readonly lsn: number };
}

/**
 * What is true once everything that lies in Kafka was told: of each row the change with the highest position, whatever the
 * order they came in. It shares no code with what it checks and knows nothing of processes and faults.
 */
export class Truth {
  readonly #people = new Map<string, TrueRow>();
  readonly #payments = new Map<string, TrueRow>();
  /** Records by table. */
  readonly records = new Map<string, number>();
  /** `topic/partition/offset` of what must be in quarantine. */
  readonly poison = new Set<string>();
  /** The same of poison that the broker lost, which may be in quarantine or not. */
  readonly lostPoison: ReadonlySet<string>;
  readonly #indexes = new Set<number>();

  constructor(lostPoison: ReadonlySet<string> = new Set()) {
    this.lostPoison = lostPoison;
  }

  add(record: LyingRecord): void {
    const table = String(record.topic.split(".").at(-1));
    this.records.set(table, (this.records.get(table) ?? 0) + 1);
    this.#indexes.add(Number(record.headers["index"]));
    if (record.headers["poison"] !== undefined)
      this.poison.add(`${record.topic}/${record.partition}/${record.offset}`);
    else if (record.value !== null) this.#learn(record.topic, JSON.parse(record.value) as Envelope);
  }

  /** How many of the records made lie in Kafka at least once. */
  get indexes(): number {
    return this.#indexes.size;
  }

  /** Customers that ever held a live row, as they are at the end. */
  customers(): ReadonlyMap<string, TrueCustomer> {
    const customers = new Map<string, TrueCustomer>();
    const of = (id: string): TrueCustomer => {
      const found = customers.get(id) ?? { score: null, payments: new Map<string, number>() };
      customers.set(id, found);
      return found;
    };
    for (const [id, { value }] of this.#people) if (value !== null) of(id).score = value;
    for (const [id, { customer, value }] of this.#payments)
      if (value !== null) of(customer).payments.set(id, value);
    return customers;
  }

  #learn(topic: string, { before, after, source }: Envelope): void {
    const row = after ?? before;
    if (row === null) throw new Error("a change without a row");
    const rows = topic === PEOPLE ? this.#people : topic === PAYMENTS ? this.#payments : null;
    if (rows === null) throw new Error(`no table reads ${topic}`);
    const id = String(row["id"]);
    if ((rows.get(id)?.lsn ?? -1) >= source.lsn) return;
    const customer = topic === PEOPLE ? id : String(row["customer_id"]);
    const value = topic === PEOPLE ? Number(row["score"]) : Math.round(Number(row["amount"]) * 100);
    rows.set(id, { lsn: source.lsn, customer, value: after === null ? null : value });
  }
}
