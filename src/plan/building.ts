import type { Outcome } from "./cel/conditions.ts";
import { ANYTHING } from "./cel/kinds.ts";
import type { Field, Roots } from "./cel/kinds.ts";
import type { Faults, Path } from "./faults.ts";
import type { PipelineFile } from "./file.ts";

/** What the steps from file to plan share. */
export interface Building {
  readonly file: PipelineFile;
  /** Paths, joined by dots, of parts that are at fault and were left out; what refers to them is not at fault again. */
  readonly broken: Set<string>;
  readonly report: Faults;
}

/** Whether a table or column that is not there may be one that was left out; `place` is `tables` or a table's columns. */
export function mayBeBroken({ broken }: Building, place: string, name: string): boolean {
  return broken.has(`${place}.${name}`) || broken.has(`${place}.*`);
}

/** The fields of a root, by name. */
export type Fields = ReadonlyMap<string, Field>;

/** Fields of something that is itself at fault: it has every field there could be. */
export class AnyFields extends Map<string, Field> {
  override get(): Field {
    return ANYTHING;
  }
  override has(): boolean {
    return true;
  }
}

/** The outcome's value; its faults are reported at their place in the text at `path`. */
export function settle<T>(building: Building, path: Path, outcome: Outcome<T>): T | null {
  if ("ok" in outcome) return outcome.ok;
  for (const fault of outcome.faults) building.report.at(path, fault.text, fault.offset);
  return null;
}

/** Adds the fields of parts that were left out as broken: `metrics.balance` when `balance` is at fault. */
export function withBroken(building: Building, prefix: string, fields: Map<string, Field>): Fields {
  for (const path of building.broken) {
    const name = path.startsWith(`${prefix}.`) ? path.slice(prefix.length + 1) : "";
    if (name !== "" && !name.includes(".")) fields.set(name, ANYTHING);
  }
  return fields;
}

/** Roots under their names; empty ones are left out, so that no suggestion points at nothing. */
export function rootsOf(entries: Iterable<readonly [string, Fields]>): Roots {
  return new Map([...entries].filter(([, fields]) => fields.size > 0 || fields instanceof AnyFields));
}
