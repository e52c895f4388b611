import type { Position } from "../../src/cdc/change.ts";
import type { Customer, Page, PageRef, Row, Rows } from "../../src/customer/customer.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import type { Checkpoint } from "../../src/ingest/source.ts";
import type {
  CustomerSave,
  Forgetting,
  Loaded,
  PageRequest,
  Place,
  Quarantined,
  Save,
  Store,
} from "../../src/store/store.ts";

/** What a memory store can be asked beyond the port. */
export interface MemoryStore extends Store, Forgetting {
  /** Every stored document by customer id, NOBODY's included. */
  readonly documents: ReadonlyMap<string, Customer>;
  /** The whole pages of a customer. */
  pagesOf(customerId: string): readonly Page[];
  /** By coordinates and content. */
  readonly quarantine: ReadonlyMap<string, Quarantined>;
  /** Counters by `table kind label`. */
  readonly tallies: ReadonlyMap<string, number>;
  readonly truncates: Readonly<Record<string, Position>>;
}

/** What can be injected. */
export interface MemoryStoreOptions {
  /**
   * Called before each of the writes a save consists of (`page`, `document`, `rest`), so that a test can throw there:
   * what was written before stays, as in a store without transactions.
   */
  readonly onWrite?: (what: "page" | "document" | "rest") => void;
  /** True when a test lets several processes save into it. */
  readonly shared?: boolean;
}

interface StoredPage extends Omit<Page, "rows" | "whole"> {
  readonly rows: Map<string, Row>;
}

const pageId = (ref: PageRef): string => `${ref.customerId}\u0000${ref.table}\u0000${ref.page}`;
const rowId = (table: string, key: string): string => `${table}\u0000${key}`;

/** Where every row key is held, kept in step with the writes. */
function placeIndex() {
  const rows = new Map<string, Map<string, Place>>();
  const spot = (customerId: string, page: string | null) => `${customerId}\u0000${page ?? ""}`;
  return {
    put: (place: Place): void => {
      const id = rowId(place.table, place.key);
      const spots = rows.get(id) ?? new Map<string, Place>();
      rows.set(id, spots.set(spot(place.customerId, place.page), place));
    },
    drop: (table: string, key: string, where: { customerId: string; page: string | null }): void => {
      rows.get(rowId(table, key))?.delete(spot(where.customerId, where.page));
    },
    find: (table: string, key: string): readonly Place[] => [
      ...(rows.get(rowId(table, key))?.values() ?? []),
    ],
  };
}

/** The Store port in maps: same promises, no durability. Also the reference other adapters are compared with. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const onWrite = options.onWrite ?? (() => {});
  const documents = new Map<string, Customer>();
  const pages = new Map<string, StoredPage>();
  const pageIdsOf = new Map<string, Set<string>>();
  const places = placeIndex();
  const checkpoints = new Map<string, Checkpoint>();
  const quarantine = new Map<string, Quarantined>();
  const tallies = new Map<string, number>();
  const truncates: Record<string, Position> = {};
  const toRelay = new Map<string, number>();
  const agreed = new Map<string, string>();

  const revisionOf = (id: string): number => documents.get(id)?.revision ?? 0;
  const loadPage = (request: PageRequest): Page => {
    const { customerId, table, page } = request;
    const stored = pages.get(pageId(request));
    const rows: Record<string, Row> = {};
    if (request.keys === "all") for (const [key, row] of stored?.rows ?? []) rows[key] = row;
    else
      for (const key of request.keys) {
        const row = stored?.rows.get(key);
        if (row !== undefined) rows[key] = row;
      }
    return {
      customerId,
      table,
      page,
      revision: stored?.revision ?? 0,
      totals: stored?.totals ?? {},
      liveRows: stored?.liveRows ?? 0,
      rows,
      whole: request.keys === "all",
    };
  };

  const writePages = (save: CustomerSave): void => {
    for (const { before, after, rows } of save.pages) {
      onWrite("page");
      const id = pageId(before);
      const { customerId, table, page, revision, totals, liveRows } = after;
      const stored = pages.get(id)?.rows ?? new Map<string, Row>();
      const where = { customerId, page };
      for (const [key, row] of Object.entries(rows)) {
        stored.set(key, row);
        places.put({ table, key, ...where, at: row.at, live: row.live });
      }
      if (after.whole)
        for (const key of [...stored.keys()])
          if (after.rows[key] === undefined) {
            stored.delete(key);
            places.drop(table, key, where);
          }
      pages.set(id, { customerId, table, page, revision, totals, liveRows, rows: stored });
      const ids = pageIdsOf.get(customerId) ?? new Set<string>();
      pageIdsOf.set(customerId, ids.add(id));
    }
  };

  const indexInline = (customerId: string, before: Customer["tables"], after: Customer["tables"]): void => {
    const where = { customerId, page: null };
    for (const table of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const old: Rows = before[table] ?? {};
      const now: Rows = after[table] ?? {};
      if (old === now) continue;
      for (const [key, row] of Object.entries(now))
        if (old[key] !== row) places.put({ table, key, ...where, at: row.at, live: row.live });
      for (const key of Object.keys(old)) if (now[key] === undefined) places.drop(table, key, where);
    }
  };

  const writeDocument = (save: CustomerSave): void => {
    if (save.after === save.before) return;
    onWrite("document");
    const { customerId, revision } = save.after;
    indexInline(customerId, documents.get(customerId)?.tables ?? {}, save.after.tables);
    documents.set(customerId, save.after);
    if (save.relay) toRelay.set(customerId, revision);
  };

  const isCurrent = ({ before, pages: changes }: CustomerSave): boolean =>
    revisionOf(before.customerId) === before.revision &&
    changes.every((change) => (pages.get(pageId(change.before))?.revision ?? 0) === change.before.revision);

  const writeRest = (save: Save): void => {
    onWrite("rest");
    for (const put of save.quarantine) {
      const { topic, partition, offset, key, value } = put.record;
      const content = JSON.stringify([put.refusal.code, key && [...key], value && [...value]]);
      quarantine.set(`${topic}/${partition}/${offset}/${content}`, put);
    }
    for (const checkpoint of save.checkpoints) {
      const id = `${checkpoint.topic}/${checkpoint.partition}`;
      if (BigInt(checkpoint.nextOffset) > BigInt(checkpoints.get(id)?.nextOffset ?? "-1"))
        checkpoints.set(id, checkpoint);
    }
    for (const [table, at] of Object.entries(save.truncates))
      if ((truncates[table] ?? "") < at) truncates[table] = at;
    for (const { table, kind, label, count } of save.tallies) {
      const name = `${table} ${kind} ${label}`;
      tallies.set(name, (tallies.get(name) ?? 0) + count);
    }
    for (const { customerId, revision } of save.confirms) {
      const customer = documents.get(customerId);
      if (customer === undefined) continue;
      const outbox = customer.outbox.filter((announcement) => announcement.revision > revision);
      documents.set(customerId, { ...customer, outbox });
      if ((toRelay.get(customerId) ?? 0) <= revision) toRelay.delete(customerId);
    }
  };

  const holdsLive = (id: string, table: string): boolean =>
    Object.values(documents.get(id)?.tables[table] ?? {}).some((row) => row.live) ||
    Object.values(documents.get(id)?.notes[table] ?? {}).some(({ liveRows }) => liveRows > 0) ||
    [...(pageIdsOf.get(id) ?? [])].some((page) => {
      const stored = pages.get(page);
      return (
        stored !== undefined && stored.table === table && [...stored.rows.values()].some((row) => row.live)
      );
    });

  return {
    shared: options.shared ?? false,
    agreed: async (name, proposal) => {
      const found = agreed.get(name) ?? proposal;
      agreed.set(name, found);
      return found;
    },
    documents,
    pagesOf: (customerId) =>
      [...(pageIdsOf.get(customerId) ?? [])].flatMap((id) => {
        const stored = pages.get(id);
        return stored === undefined ? [] : [loadPage({ ...stored, keys: "all" })];
      }),
    quarantine,
    tallies,
    truncates,
    load: async (request) => {
      const loaded: Loaded = {
        customers: new Map(request.customers.map((id) => [id, documents.get(id) ?? newCustomer(id)])),
        pages: request.pages.map(loadPage),
        places: Object.entries(request.keys).flatMap(([table, keys]) =>
          keys.flatMap((key) => places.find(table, key)),
        ),
        truncates: { ...truncates },
      };
      return loaded;
    },
    save: async (save) => {
      const conflicts = new Set<string>();
      for (const part of save.customers) {
        if (!isCurrent(part)) {
          conflicts.add(part.before.customerId);
          continue;
        }
        writePages(part);
        writeDocument(part);
      }
      writeRest(save);
      return { conflicts };
    },
    checkpoints: async () => [...checkpoints.values()],
    forgetCheckpoints: async (prefix) => {
      for (const [id, { topic }] of checkpoints) if (topic.startsWith(prefix)) checkpoints.delete(id);
    },
    outstanding: async (nowMs, limit) => ({
      due: [...documents.values()]
        .filter(({ dueMs }) => dueMs !== null && dueMs <= nowMs)
        .map(({ customerId }) => customerId)
        .slice(0, limit),
      unpublished: [...toRelay.keys()].slice(0, limit),
    }),
    holders: async (table, after, limit) =>
      [...new Set([...documents.keys(), ...pageIdsOf.keys()])]
        .filter((id) => (after === null || id > after) && holdsLive(id, table))
        .sort()
        .slice(0, limit),
    close: async () => {},
  };
}
