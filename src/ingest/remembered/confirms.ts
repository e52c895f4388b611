import type { Update } from "../../customer/customer.ts";
import type { Save } from "../../store/store.ts";

/** Published updates that no redelivery stands behind, to be confirmed with the next save. */
export interface Confirms {
  add(updates: readonly Update[]): void;
  /** The newest published revision per customer since the last call. */
  take(): Save["confirms"];
  isEmpty(): boolean;
}

/** Collects confirmations in memory: one that a crash loses costs a repeated publication, which the stream ignores. */
export function createConfirms(): Confirms {
  let revisions = new Map<string, number>();
  return {
    add: (updates) => {
      for (const { customerId, revision } of updates)
        revisions.set(customerId, Math.max(revision, revisions.get(customerId) ?? 0));
    },
    take: () => {
      const taken = [...revisions].map(([customerId, revision]) => ({ customerId, revision }));
      revisions = new Map();
      return taken;
    },
    isEmpty: () => revisions.size === 0,
  };
}
