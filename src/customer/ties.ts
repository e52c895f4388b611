import { samePartition } from "../cdc/partition.ts";
import type { Part } from "./customer.ts";
import { sameValues } from "./values/compare.ts";

/** Orders offsets: decimal texts without leading zeros. */
export function compareOffsets(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

type Content = Pick<Part, "set" | "whole">;

/** True when both say the same about the row. */
export function sameContent(a: Content, b: Content): boolean {
  if (a.set === null || b.set === null) return a.set === b.set;
  return a.whole === b.whole && sameValues(a.set, b.set);
}

/** The content as text, equal for equal contents; a delete sorts below every upsert. */
export function contentText({ set, whole }: Content): string {
  if (set === null) return "";
  const columns = Object.keys(set).sort();
  return JSON.stringify([whole, ...columns.map((column) => [column, set[column]])]);
}

/**
 * Which of several contents at one position counts. Within a partition the one that came last; among partitions, where nothing
 * says which came last, the one whose text is greatest. Every content stands at the least offset it was seen at, so neither
 * the order of arrival nor a repetition can change the answer.
 */
export function winner(rivals: readonly Part[]): Part | undefined {
  if (rivals.length < 2) return rivals[0];
  const finalists: Part[] = [];
  for (const rival of rivals) {
    const index = finalists.findIndex((finalist) => samePartition(finalist.origin, rival.origin));
    const finalist = finalists[index];
    if (finalist === undefined) finalists.push(rival);
    else if (compareOffsets(rival.origin.offset, finalist.origin.offset) > 0) finalists[index] = rival;
  }
  return finalists.reduce((best, finalist) => (compareParts(finalist, best) > 0 ? finalist : best));
}

/** A total order of parts: by position, then content, then partition. */
export function compareParts(a: Part, b: Part): number {
  return (
    order(a.at, b.at) ||
    order(contentText(a), contentText(b)) ||
    order(a.origin.topic, b.origin.topic) ||
    a.origin.partition - b.origin.partition
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
