import type { CustomerSave, Save, Saved } from "../store.ts";
import type { MongoDocuments } from "./documents/documents.ts";
import type { MongoPages } from "./documents/pages.ts";
import { excessOfDocument } from "./documents/weight.ts";
import type { MongoLedger } from "./ledger.ts";
import type { MongoQuarantine } from "./quarantine.ts";

/** What a save goes to. */
export interface SaveParts {
  readonly documents: MongoDocuments;
  readonly pages: MongoPages;
  readonly quarantine: MongoQuarantine;
  readonly ledger: MongoLedger;
  /** The name of a save, by which its writes are known. */
  readonly stampOf: (save: object) => string;
}

/** Saves what fits: pages before their documents, and confirmations when all else is there. */
export async function save(parts: SaveParts, whole: Save): Promise<Saved> {
  const { documents, quarantine, ledger } = parts;
  const refused = new Map<string, string>();
  for (const part of whole.customers) {
    const excess = excessOf(parts, part);
    if (excess !== null) refused.set(part.before.customerId, excess);
  }
  const [conflicts] = await settled([
    saveCustomers(
      parts,
      whole.customers.filter(({ before }) => !refused.has(before.customerId)),
      parts.stampOf(whole),
    ),
    quarantine.put(whole.quarantine),
    ledger.truncate(whole.truncates),
    note(ledger, whole),
  ]);
  await documents.confirm(whole.confirms);
  return refused.size === 0 ? { conflicts } : { conflicts, refused };
}

/** Counts first: a crash in between has records counted again that are read again, never records that nobody counted. */
async function note(ledger: MongoLedger, { tallies, checkpoints }: Save): Promise<void> {
  await ledger.count(tallies);
  await ledger.checkpoint(checkpoints);
}

/** Why a customer cannot be kept, or null. */
function excessOf({ pages }: SaveParts, { before, after, pages: changes }: CustomerSave): string | null {
  for (const change of changes) {
    const excess = pages.excess(change);
    if (excess !== null) return excess;
  }
  return excessOfDocument(before, after);
}

async function saveCustomers(
  { documents, pages }: SaveParts,
  saves: readonly CustomerSave[],
  stamp: string,
): Promise<ReadonlySet<string>> {
  const lost = await pages.save(
    saves.flatMap((each) => each.pages),
    stamp,
  );
  const kept = lost.size === 0 ? saves : saves.filter(({ before }) => !lost.has(before.customerId));
  const conflicts = await documents.save(kept, stamp);
  return new Set([...lost, ...conflicts]);
}

/** Waits for all, also when one fails: what goes on after a save was answered might meet its repetition. */
async function settled<T>(
  work: readonly [Promise<T>, ...Promise<unknown>[]],
): Promise<readonly [T, ...unknown[]]> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work);
}
