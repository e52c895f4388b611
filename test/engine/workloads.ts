import { notedProfile } from "../../src/bench/records.ts";

/**
 * One change of each customer in turn; keys spread evenly; a backlog with eight changes of each customer; or half of all changes of one customer in a
 * hundred, on any partition.
 */
export type Workload = "everybody" | "uniform" | "backlog" | "hot";

/** A record to be sent. */
export interface Sent {
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Partitions of every topic. */
export const PARTITIONS = 4;
/** Customers of every store. */
export const CUSTOMERS = 20_000;

const HOT_CUSTOMERS = CUSTOMERS / 100;
const CHANGES_PER_CUSTOMER = 8;
const FIRST_MARKER = 1_000_000;

/** Ids of the customers that tell, one in each partition, that everything before them was done. */
export const MARKERS: readonly number[] = Array.from({ length: PARTITIONS }, (_, at) => FIRST_MARKER + at);

/** Changes in the order of their positions, and what each customer has to be in the end. */
export class Changes {
  /** Above every position that was given. */
  #position = 0;
  #chance = 1;
  /** The latest note of each customer. */
  readonly expected = new Map<number, string>();

  /** So many changes of a workload. */
  next(workload: Workload, count: number): readonly Sent[] {
    const spread = Math.max(1, Math.floor(count / CHANGES_PER_CUSTOMER));
    return Array.from({ length: count }, (_, at) => {
      switch (workload) {
        case "everybody":
          return this.change(1 + (at % CUSTOMERS));
        case "uniform":
          return this.change(1 + this.#below(CUSTOMERS));
        case "backlog":
          return this.change(1 + (at % spread));
        default:
          return this.change(
            1 + this.#below(this.#below(2) === 0 ? HOT_CUSTOMERS : CUSTOMERS),
            this.#below(PARTITIONS),
          );
      }
    });
  }

  /** One change of a customer, on the partition of its own unless another is given. */
  change(customer: number, partition = customer % PARTITIONS, note: string | null = null): Sent {
    this.#position += 1;
    const text = note ?? `visited the branch; asked about "after": sales, ${this.#position}`;
    this.expected.set(customer, text);
    const { key, value } = notedProfile(customer, this.#position, text);
    return { partition, key: Buffer.from(key ?? []), value: Buffer.from(value ?? []) };
  }

  /** The last records of a turn, and the text by which their customers tell that they were applied. */
  markers(): { readonly sent: readonly Sent[]; readonly text: string } {
    const text = `done ${this.#position}.`;
    return { sent: MARKERS.map((customer, partition) => this.change(customer, partition, text)), text };
  }

  #below(limit: number): number {
    this.#chance = (Math.imul(this.#chance, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#chance / 2 ** 32) * limit);
  }
}
