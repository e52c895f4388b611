import { integerText, isObject, member, type Json } from "../reading/json.ts";
import { integerComponent } from "./sequence.ts";

/** Where a change stands in the log of a MySQL or MariaDB, as its connector says it. */
export interface BinlogPlace {
  /** Name of the log file, such as `mysql-bin.000003`. */
  readonly file: Json | undefined;
  /** Where in the file the statement's rows begin. */
  readonly pos: Json | undefined;
  /** Which of those rows it is. */
  readonly row: Json | undefined;
}

/** The members of `source` that say so. */
export const BINLOG_FIELDS = ["file", "pos", "row"] as const;

/** The place that a `source` names; undefined when it names no log file. */
export function binlogOf(source: Json | undefined): BinlogPlace | undefined {
  if (!isObject(source) || !isFile(member(source, "file"))) return undefined;
  return { file: member(source, "file"), pos: member(source, "pos"), row: member(source, "row") };
}

/** True for the name of a log file. Rows of an incremental snapshot come with an empty one. */
export function isFile(file: Json | undefined): file is string {
  return typeof file === "string" && file !== "";
}

/**
 * The components of its position: number of the file, place in it, row; null when one of them is missing. Files are
 * compared by number: as text, `bin.999999` would come after `bin.1000000`.
 */
export function binlogComponents({ file, pos, row }: BinlogPlace): string | null {
  const number = isFile(file) ? /\.0*(\d+)$/.exec(file)?.[1] : undefined;
  if (number === undefined) return null;
  const parts = [number, integerText(pos ?? ""), integerText(row ?? 0)];
  const components = parts.map(integerComponent);
  return components.includes(null) ? null : components.join("");
}
