/** What a winning plan reads. */
export interface Scanned {
  /** Names of the indexes it goes along. */
  readonly indexes: readonly string[];
  /** How many times it reads a whole collection. */
  readonly collections: number;
}

/** What a plan reads, over all its stages and shards; null for what tells of neither an index nor a collection. */
export function scannedBy(plan: unknown): Scanned | null {
  const indexes: string[] = [];
  let collections = 0;
  const visit = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    const { stage, indexName } = at as { readonly stage?: unknown; readonly indexName?: unknown };
    if (stage === "COLLSCAN") collections += 1;
    // A lookup by _id alone names no index.
    if (stage === "IDHACK") indexes.push("_id_");
    if (typeof indexName === "string" && !indexes.includes(indexName)) indexes.push(indexName);
    Object.values(at).forEach(visit);
  };
  visit(plan);
  return indexes.length + collections === 0 ? null : { indexes, collections };
}
