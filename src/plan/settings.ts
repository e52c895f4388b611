import type { Value } from "../cdc/change.ts";
import { withBroken } from "./building.ts";
import type { Building, Fields } from "./building.ts";
import { fieldOf } from "./cel/kinds.ts";
import type { Field } from "./cel/kinds.ts";
import { decimalOf } from "./cel/numbers.ts";
import type { SettingEntry } from "./file.ts";

/** The settings as constants for conditions. A required one without a value is a fault that says what it decides. */
export function settings(building: Building): Fields {
  const fields = new Map<string, Field>();
  for (const [name, entry] of Object.entries(building.file.settings ?? {})) {
    fields.set(name, { ...fieldOf(entry.type), constant: valueOf(building, name, entry) });
  }
  return withBroken(building, "settings", fields);
}

function valueOf(building: Building, name: string, entry: SettingEntry): Value {
  const path = ["settings", name] as const;
  if (entry.value === undefined) {
    if (entry.required === true) {
      const why = entry.description.replace(/[.\s]+$/, "");
      building.report.atKey(
        path,
        `setting "${name}" has no value, and nothing can be guessed for it: ${why}. Decide it and write \`value:\``,
      );
    }
    return null;
  }
  const stored = storedValue(entry.type, entry.value);
  if (stored === null)
    building.report.at([...path, "value"], `"${String(entry.value)}" is not of type ${entry.type}`);
  return stored;
}

function storedValue(type: SettingEntry["type"], value: string | number | boolean): Value {
  const text = String(value);
  switch (type) {
    case "text":
      return typeof value === "string" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "int":
      return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
    case "bigint":
      return /^-?\d+$/.test(text) && (typeof value === "string" || Number.isSafeInteger(value)) ? text : null;
    case "float":
      return typeof value === "number" ? value : null;
    case "decimal":
      return typeof value !== "boolean" && decimalOf(text)?.special === null ? text : null;
  }
}
