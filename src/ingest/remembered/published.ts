import type { Announcement, Customer, Update } from "../../customer/customer.ts";

/**
 * Which revisions this process has published. Announcements stay in the outbox of their document until somebody saves the
 * document who knows them to be published; that somebody is this memory. What it has forgotten is published once more,
 * which the stream ignores.
 */
export interface Published {
  /** The announcements of a document not known to be published, oldest first. */
  missing(customer: Customer): readonly Announcement[];
  /** Notes that these have been published. */
  add(updates: readonly Update[]): void;
}

/** Remembers the customers published last, at most `count`. */
export function createPublished(count: number): Published {
  const revisions = new Map<string, number>();
  return {
    missing: ({ customerId, outbox }) => {
      const last = outbox.at(-1);
      if (last === undefined) return outbox;
      const known = revisions.get(customerId);
      if (known === undefined) return outbox;
      return last.revision <= known ? [] : outbox.filter(({ revision }) => revision > known);
    },
    add: (updates) => {
      for (const { customerId, revision } of updates) {
        const known = revisions.get(customerId) ?? 0;
        revisions.delete(customerId);
        revisions.set(customerId, Math.max(known, revision));
      }
      for (const [oldest] of revisions) {
        if (revisions.size <= count) return;
        revisions.delete(oldest);
      }
    },
  };
}

/** A document's announcements as updates, each with the document as it is now. */
export function updatesOf(customer: Customer, announcements: readonly Announcement[]): readonly Update[] {
  return announcements.map((announcement) => ({ ...announcement, customer }));
}
