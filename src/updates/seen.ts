import type { Update } from "../customer/customer.ts";

/** Customers whose last revision is remembered. */
const REMEMBERED = 100_000;

/** Which revisions were read, and where: to drop what was published twice. */
export class Seen {
  readonly #last = new Map<string, { readonly revision: number; readonly seq: number }>();

  /** Notes an update to be read at a sequence number; false when this revision or a later one was read. */
  isNew({ customerId, revision }: Update, seq: number): boolean {
    const seen = this.#last.get(customerId);
    if (seen !== undefined && seen.revision >= revision) return false;
    this.#last.delete(customerId);
    this.#last.set(customerId, { revision, seq });
    if (this.#last.size > REMEMBERED) {
      const oldest = this.#last.keys().next();
      if (oldest.done !== true) this.#last.delete(oldest.value);
    }
    return true;
  }

  /** True when this revision was read at or before the sequence number. */
  has(customerId: string, revision: number, seq: number): boolean {
    const seen = this.#last.get(customerId);
    return seen !== undefined && seen.seq <= seq && seen.revision >= revision;
  }

  /** Forgets everything. */
  clear(): void {
    this.#last.clear();
  }
}
