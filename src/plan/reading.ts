import { readYaml } from "./document.ts";
import { suggestion } from "./faults.ts";
import type { Fault, Faults, Path } from "./faults.ts";
import { checkShape, knownKeys, purpose } from "./file.ts";
import type { Issue, PipelineFile } from "./file.ts";

/** What reading a file gave: its content as far as it is usable, and where things stand in it. */
export interface Reading {
  /** Null when nothing can be made of it. */
  readonly file: PipelineFile | null;
  /**
   * Paths (joined by dots) left out of `file` because they are at fault themselves. `*` for a last step says that a name
   * itself is at fault, so that nobody knows what its neighbours mean by an unknown one.
   */
  readonly broken: ReadonlySet<string>;
  /** Everything found so far; later steps add to it through `report`. */
  readonly faults: Fault[];
  readonly report: Faults;
}

/** Reads the text of a pipeline file and checks its shape. Throws nothing: faults are in the answer. */
export function readFile(source: string): Reading {
  const { content, faults, report } = readYaml(source);
  if (content === null) report.at([], "the file is empty: it needs at least a name and tables");
  if (content === undefined || content === null) return { file: null, broken: new Set(), faults, report };
  const first = checkShape(content);
  if ("file" in first) return { file: first.file, broken: new Set(), faults, report };
  const broken = new Set<string>();
  // All are explained before any is taken out: what was taken out would look as if it had never been there.
  for (const issue of first.issues) explain(issue, content, report);
  for (const issue of first.issues) prune(issue, content, broken);
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
  else if (valueAt(content, path) === undefined && path.length > 0) {
    if (!isMistyped(last, valueAt(content, path.slice(0, -1)), knownKeys(path.slice(0, -1))))
      report.at(path, `"${last}" is missing${purpose(path)}`);
  } else if (issue.code === "invalid_value") {
    const given = String(valueAt(content, path));
    report.at(path, `"${given}" is not possible for "${last}"${suggestion(given, issue.values.map(String))}`);
  } else if (issue.code === "invalid_type" && issue.expected in SHAPES) {
    const expected = SHAPES[issue.expected] ?? "";
    const given = shapeOf(valueAt(content, path));
    const subject = path.length === 0 ? last : `"${last}"`;
    report.at(path, `${subject} has to be ${expected}, and this is ${given}${purpose(path)}`);
  } else report.at(path, `"${last}": ${issue.message}`);
}

/** What zod calls the shapes of values, in the words of people who write YAML. */
const SHAPES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  return SHAPES[typeof value] ?? typeof value;
}

/** True when a key that is missing is there under a name that is nearly its own: that one is reported, with what was meant. */
function isMistyped(missing: string, mapping: unknown, known: readonly string[]): boolean {
  if (typeof mapping !== "object" || mapping === null) return false;
  return Object.keys(mapping).some(
    (key) => !known.includes(key) && suggestion(key, known) === suggestion(missing, [missing]),
  );
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
  if (issue.code === "invalid_key" && part[0] === "tables") broken.add([...part.slice(0, -1), "*"].join("."));
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
