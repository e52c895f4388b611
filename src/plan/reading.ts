import { readYaml } from "./document.ts";
import { suggestion } from "./faults.ts";
import type { Fault, Faults, Path } from "./faults.ts";
import { checkShape, knownKeys, purpose } from "./file.ts";
import type { Issue, PipelineFile } from "./file.ts";

/** What reading a file gave: its content as far as it is usable, and where things stand in it. */
export interface Reading {
  /** Null when nothing can be made of it. */
  readonly file: PipelineFile | null;
  /** Paths (joined by dots) left out of `file` because they are at fault themselves. */
  readonly broken: ReadonlySet<string>;
  /** Everything found so far; later steps add to it through `report`. */
  readonly faults: Fault[];
  readonly report: Faults;
}

/** Reads the text of a pipeline file and checks its shape. Throws nothing: faults are in the answer. */
export function readFile(source: string): Reading {
  const { content, faults, report } = readYaml(source);
  if (content === undefined) return { file: null, broken: new Set(), faults, report };
  const first = checkShape(content);
  if ("file" in first) return { file: first.file, broken: new Set(), faults, report };
  const broken = new Set<string>();
  for (const issue of first.issues) {
    explain(issue, content, report);
    prune(issue, content, broken);
  }
  const second = checkShape(content);
  return { file: "file" in second ? second.file : null, broken, faults, report };
}

function explain(issue: Issue, content: unknown, report: Faults): void {
  const path = issue.path as Path;
  const last = String(path.at(-1) ?? "the file");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    for (const key of issue.keys)
      report.atKey([...path, key], `unknown key "${key}"${suggestion(key, known)}`);
  } else if (issue.code === "invalid_key")
    report.atKey(path, `"${last}" is not a name: ${issue.issues[0]?.message ?? ""}`);
  else if (valueAt(content, path) === undefined && path.length > 0)
    report.at(path, `"${last}" is missing${purpose(path)}`);
  else if (issue.code === "invalid_value") {
    const given = String(valueAt(content, path));
    report.at(path, `"${given}" is not possible for "${last}"${suggestion(given, issue.values.map(String))}`);
  } else report.at(path, `"${last}": ${issue.message}`);
}

function valueAt(content: unknown, path: Path): unknown {
  let value = content;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/**
 * Takes what is at fault out of the content, so that the rest can be checked in the same run: unknown keys alone, else
 * the smallest part that has a name. A column stays, as `broken`, for others to refer to.
 */
function prune(issue: Issue, content: unknown, broken: Set<string>): void {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) remove(content, [...path, key]);
    return;
  }
  const part = path.slice(0, path[0] === "tables" && NESTED.has(String(path[2])) && path.length > 3 ? 4 : 2);
  if (part.length < 2) return;
  broken.add(part.join("."));
  if (part[2] === "columns" && issue.code !== "invalid_key") replace(content, part, { type: "text" });
  else remove(content, part);
}

const NESTED = new Set(["columns", "expect", "ops"]);

function remove(content: unknown, path: Path): void {
  const parent = valueAt(content, path.slice(0, -1));
  if (typeof parent === "object" && parent !== null) Reflect.deleteProperty(parent, path.at(-1) ?? "");
}

function replace(content: unknown, path: Path, value: unknown): void {
  const parent = valueAt(content, path.slice(0, -1));
  if (typeof parent === "object" && parent !== null) Reflect.set(parent, path.at(-1) ?? "", value);
}
