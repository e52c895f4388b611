import { Customer360Error } from "../errors.ts";
import { editDistance } from "./edit-distance.ts";

/** One fault of a pipeline file: where it is and what to do about it. Lines and columns count from 1. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** Where in the file a value stands: keys and indexes from the root. */
export type Path = readonly (string | number)[];

/** Collects faults by the place they concern, so that all of them are reported together. */
export interface Faults {
  /** Reports a fault at the value of a path; `offset` counts characters inside a text value (an expression). */
  at(path: Path, text: string, offset?: number): void;
  /** Reports a fault at the key of a path rather than at its value. */
  atKey(path: Path, text: string): void;
}

/** Whoever has more faults than these mends them first. */
const SHOWN_FAULTS = 20;

/** The faults as one error that lists the first of them as `file:line:column text`, in file order, and counts the rest. */
export function invalid(fileName: string, faults: readonly Fault[]): Customer360Error {
  const sorted = [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = new Set(sorted.map((fault) => `${fileName}:${fault.line}:${fault.column} ${fault.text}`));
  const head =
    lines.size === 1 ? "The pipeline file has a fault:" : `The pipeline file has ${lines.size} faults:`;
  const shown = [...lines].slice(0, SHOWN_FAULTS);
  const more = lines.size > shown.length ? [`... and ${lines.size - shown.length} more`] : [];
  return new Customer360Error("PIPELINE_INVALID", [head, ...shown, ...more].join("\n"));
}

/** `: did you mean "balance"?` when a known name is near, else what there is to choose from. */
export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = nearest(name, names);
  if (near !== null) return `: did you mean "${near}"?`;
  if (names.length === 0) return "; none are declared";
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `; there are ${shown}, ...` : `; there is ${shown}`;
}

function nearest(name: string, known: readonly string[]): string | null {
  const wanted = plain(name);
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance && distance < wanted.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}
