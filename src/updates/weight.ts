import type { StreamEntry } from "./updates.ts";

const weights = new WeakMap<StreamEntry, number>();
const BASE = 1_024;
const PER_ROW = 256;
const PER_MEMBER = 64;

/** Roughly how many bytes of memory an entry holds, by counting its rows and members; reckoned once per entry. */
export function weightOf(entry: StreamEntry): number {
  const known = weights.get(entry);
  if (known !== undefined) return known;
  const { customer } = entry.update;
  let weight = BASE;
  for (const rows of Object.values(customer.tables)) weight += PER_ROW * Object.keys(rows).length;
  for (const notes of Object.values(customer.notes)) weight += PER_ROW * Object.keys(notes).length;
  weight += PER_MEMBER * (Object.keys(customer.metrics).length + Object.keys(customer.segments).length);
  weight += PER_MEMBER * Object.keys(customer.offers).length;
  weights.set(entry, weight);
  return weight;
}
