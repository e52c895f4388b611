import type { Row } from "../../../customer/customer.ts";

/** Where a row is held: with a customer, in a page or (null) in its document. */
export interface Holder {
  readonly customerId: string;
  readonly table: string;
  readonly page: string | null;
}

/** A row the journal holds in a newer version than the tables; null where it is gone. */
export interface PendingRow extends Holder {
  readonly key: string;
  row: Row | null;
  /** The row as JSON; empty where it is gone, or part of a document. */
  text: string;
  /** The next row with this key, of another customer or in another page. */
  readonly next: PendingRow | null;
}

/** Pending rows by table and key. */
export class PendingRows {
  readonly #tables = new Map<string, Map<string, PendingRow>>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The first of the rows with a key; `next` leads to the others. */
  first(table: string, key: string): PendingRow | undefined {
    return this.#tables.get(table)?.get(key);
  }

  /** The row with a key where it is held; undefined when the tables have its newest version. */
  find({ customerId, table, page }: Holder, key: string): PendingRow | undefined {
    let found: PendingRow | null = this.#tables.get(table)?.get(key) ?? null;
    while (found !== null && (found.customerId !== customerId || found.page !== page)) found = found.next;
    return found ?? undefined;
  }

  /** Notes a row's newest version. Answers its entry when it had none before, else null. */
  put(
    { customerId, table, page }: Holder,
    { key, row, text }: Pick<PendingRow, "key" | "row" | "text">,
  ): PendingRow | null {
    let keys = this.#tables.get(table);
    if (keys === undefined) {
      keys = new Map();
      this.#tables.set(table, keys);
    }
    const first = keys.get(key) ?? null;
    for (let known = first; known !== null; known = known.next) {
      if (known.customerId !== customerId || known.page !== page) continue;
      known.row = row;
      known.text = text;
      return null;
    }
    const made = { customerId, table, page, key, row, text, next: first };
    keys.set(key, made);
    this.#count += 1;
    return made;
  }

  /** Forgets all. */
  clear(): void {
    this.#tables.clear();
    this.#count = 0;
  }
}
