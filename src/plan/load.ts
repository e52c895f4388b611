import { createHash } from "node:crypto";
import type { Plan } from "../customer/plan.ts";
import type { Building } from "./building.ts";
import { invalid } from "./faults.ts";
import type { PipelineFile } from "./file.ts";
import { metrics, oneRowTables } from "./metrics.ts";
import { nameFaults } from "./names.ts";
import { offers } from "./offers.ts";
import { readFile } from "./reading.ts";
import { segments } from "./segments.ts";
import { settings } from "./settings.ts";
import { tables } from "./tables.ts";

/** Raised when this program would derive other values from the same file. */
const MEANING = 1;

/**
 * Compiles the text of a pipeline file. Throws `PIPELINE_INVALID`, which lists every fault as `file:line:column text`;
 * `fileName` is only for these.
 */
export function loadPlan(text: string, fileName: string): Plan {
  const { file, broken, faults, report } = readFile(text);
  if (file === null) throw invalid(fileName, faults);
  const plan = build({ file, broken: new Set(broken), report });
  for (const fault of nameFaults(plan)) report.atKey(fault.path, fault.text);
  if (faults.length > 0) throw invalid(fileName, faults);
  return plan;
}

function build(building: Building): Plan {
  const { file } = building;
  const settingFields = settings(building);
  const built = tables(building, settingFields);
  const scope = [...oneRowTables(building, built), ["settings", settingFields]] as const;
  const metric = metrics(building, built, scope);
  const withMetrics = [["metrics", metric.fields] as const, ...scope];
  const segment = segments(building, withMetrics);
  return {
    name: file.name,
    description: file.description ?? "",
    tables: [...built.values()].map(({ plan }) => plan),
    metrics: metric.plans,
    segments: segment.plans,
    offers: offers(building, built, [...withMetrics, ["segments", segment.fields]]),
    version: versionOf(file),
  };
}

/** A hash of what the file means: descriptions, GraphQL names, and the order of what has no order do not count. */
function versionOf(file: PipelineFile): string {
  const meaning = JSON.stringify([MEANING, normal(file, [])]);
  return createHash("sha256").update(meaning).digest("hex").slice(0, 16);
}

const SILENT = new Set(["description", "as", "title"]);

function normal(value: unknown, path: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => normal(one, path));
  const isNames =
    path.length === 1 || path.at(-1) === "columns" || path.at(-1) === "tiers" || path.at(-1) === "expect";
  const entries = Object.entries(value)
    .filter(([key]) => isNames || !SILENT.has(key))
    .filter(([key]) => !(path.length === 2 && path[0] === "tables" && key === "type"))
    .map(([key, one]) => [key, normal(one, [...path, key])] as const);
  const hasOrder = path[0] === "segments" && (path.length === 1 || path.at(-1) === "tiers");
  return hasOrder ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1));
}
