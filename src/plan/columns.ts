import type { ColumnPlan, ColumnType } from "../cdc/table.ts";
import type { Building } from "./building.ts";
import type { Path } from "./faults.ts";
import type { ColumnEntry } from "./file.ts";

const TEMPORAL: readonly ColumnType[] = ["date", "time", "timestamp"];

/** Which types an option of a column goes with. */
const BELONGS: readonly (readonly [keyof ColumnEntry, readonly ColumnType[]])[] = [
  ["scale", ["decimal"]],
  ["unscaled", ["decimal"]],
  ["unit", TEMPORAL],
  ["format", TEMPORAL],
  ["encoding", ["bytes"]],
];

/** One declared column. An option that means nothing for its type is a fault, because somebody meant something by it. */
export function columnPlan(building: Building, path: Path, entry: ColumnEntry): ColumnPlan {
  for (const [option, types] of BELONGS) {
    if (entry[option] !== undefined && !types.includes(entry.type)) {
      building.report.atKey(
        [...path, option],
        `"${option}" goes with ${types.join(", ")}, and this column is ${entry.type}`,
      );
    }
  }
  if (entry.unscaled === true && entry.scale === undefined && entry.type === "decimal") {
    building.report.atKey(
      [...path, "unscaled"],
      '"unscaled" needs a "scale": the digits alone do not say where the point is',
    );
  }
  if (entry.unit === "days" && entry.type !== "date") {
    building.report.at([...path, "unit"], `"days" goes with date, and this column is ${entry.type}`);
  }
  return {
    name: String(path.at(-1)),
    type: entry.type,
    list: entry.list ?? false,
    scale: entry.scale ?? null,
    unit: entry.unit ?? null,
    format: entry.format ?? null,
    encoding: entry.encoding ?? "base64",
    description: entry.description ?? null,
    ...(entry.unscaled === true ? { unscaled: true } : {}),
    ...(entry.as === undefined ? {} : { as: entry.as }),
  };
}
