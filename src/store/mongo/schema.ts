import type { IndexSpec, Mongo } from "./client.ts";

/** Version of the layout below; raised with every change of it. */
export const SCHEMA_VERSION = 1;

/**
 * Collections with their indexes (beside `_id`). To shard: `customers` by `_id`, `pages` by `customer`, the others not.
 * - `customers`: one document per customer. `by` stamps the write of its revision; `relay` is the revision that waits for a
 *   confirm; `places`, `holds`, `noted`, `offered`, `facts` are made from the document in the same write, to find it by.
 * - `pages`: one document per page; `keys` are those of `rows`, `newest` is an upper bound of its positions.
 * - `quarantine`: `_id` is a hash of coordinates, code, key and value.
 * - `checkpoints`, `truncates`, `tallies` (one document per process that counted), `meta`.
 */
export const INDEXES: Readonly<Record<string, readonly IndexSpec[]>> = {
  customers: [
    { keys: { dueMs: 1 }, sparse: true },
    { keys: { relay: 1 }, sparse: true },
    { keys: { places: 1 }, sparse: true },
    { keys: { holds: 1, _id: 1 } },
    { keys: { listed: 1, _id: 1 } },
    { keys: { "offered.t": -1, "offered.o": 1, "offered.s": 1 }, sparse: true },
  ],
  pages: [
    { keys: { customer: 1, table: 1, newest: -1 } },
    { keys: { table: 1, keys: 1 } },
    { keys: { table: 1, customer: 1, liveRows: 1 } },
  ],
  quarantine: [
    { keys: { atMs: -1, n: -1, _id: -1 } },
    { keys: { table: 1, atMs: -1, n: -1, _id: -1 } },
    { keys: { table: 1, "refusal.code": 1 } },
  ],
};

/** Makes the indexes that are missing. */
export async function createIndexes(mongo: Mongo): Promise<void> {
  await Promise.all(
    Object.entries(INDEXES).map(([name, specs]) => mongo.collection(name).createIndexes(specs)),
  );
}

/** Declared indexes that the database does not have, such as `pages {"table":1,"keys":1}`. */
export async function missingIndexes(mongo: Mongo): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [name, specs] of Object.entries(INDEXES)) {
    const found = new Set(await mongo.collection(name).indexes());
    for (const { keys } of specs) {
      const text = JSON.stringify(keys);
      if (!found.has(text)) missing.push(`${name} ${text}`);
    }
  }
  return missing;
}
