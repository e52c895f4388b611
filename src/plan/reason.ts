import type { Scope } from "../customer/plan.ts";
import type { CelFault } from "./cel/cel.ts";
import { scopeReader, spoken } from "./cel/conditions.ts";
import type { Outcome } from "./cel/conditions.ts";
import type { Roots } from "./cel/kinds.ts";
import { suggestion } from "./faults.ts";

type Part = (scope: Scope) => string;

/** Compiles a sentence with `{metrics.balance}` and the like in it; a value that is not there reads "unknown". */
export function reason(template: string, roots: Roots): Outcome<(scope: Scope) => string> {
  const faults: CelFault[] = [];
  const parts: Part[] = [];
  let at = 0;
  for (const match of template.matchAll(/\{([^{}]*)\}/g)) {
    const text = template.slice(at, match.index);
    checkBraces(text, at, faults);
    parts.push(() => text);
    const part = reference(match[1] ?? "", match.index + 1, roots);
    if ("text" in part) faults.push(part);
    else parts.push(part.read);
    at = match.index + match[0].length;
  }
  const rest = template.slice(at);
  checkBraces(rest, at, faults);
  parts.push(() => rest);
  return faults.length > 0 ? { faults } : { ok: (scope) => parts.map((part) => part(scope)).join("") };
}

function checkBraces(text: string, from: number, faults: CelFault[]): void {
  const brace = text.search(/[{}]/);
  if (brace >= 0)
    faults.push({
      text: `this "${text[brace] ?? ""}" has no partner: values are written {metrics.balance}`,
      offset: from + brace,
    });
}

function reference(written: string, offset: number, roots: Roots): CelFault | { read: Part } {
  const [root = "", name = "", ...more] = written.trim().split(".");
  const fields = roots.get(root);
  if (fields === undefined)
    return { text: `unknown name "${root}"${suggestion(root, roots.keys())}`, offset };
  const field = fields.get(name);
  if (field === undefined || more.length > 0) {
    return { text: `unknown name "${written.trim()}"${suggestion(name, fields.keys())}`, offset };
  }
  const { constant } = field;
  if (constant !== undefined) return { read: () => spoken(constant) };
  const read = scopeReader(root, name);
  return { read: (scope) => spoken(read(scope)) };
}
