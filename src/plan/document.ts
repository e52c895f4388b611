import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Node, Scalar } from "yaml";
import type { Fault, Faults, Path } from "./faults.ts";

/** Names that mean something to every JavaScript object; as a table or column name they would be a trap. */
const UNSAFE = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

/** A YAML text as plain values, with a way to report faults at their place. */
export interface YamlDocument {
  /** Undefined when the text cannot be read at all. */
  readonly content: unknown;
  /** Everything found wrong so far; later steps add to it through `report`. */
  readonly faults: Fault[];
  readonly report: Faults;
}

/** Parses YAML; broken syntax, keys given twice and names that are not safe are faults. Throws nothing. */
export function readYaml(source: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: true,
    prettyErrors: false,
  });
  const faults: Fault[] = [];
  const push = (offset: number, text: string): void => {
    const { line, col } = lines.linePos(offset);
    faults.push({ line, column: col, text });
  };
  for (const { pos, message } of document.errors) push(pos[0], `this is not YAML: ${message}`);
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) {
          push(
            isNode(key) ? start(key) : start(map),
            "a name is written where it stands: no alias, list or mapping",
          );
          continue;
        }
        const name = String(key.value);
        if (seen.has(name)) push(start(key), `"${name}" is given twice`);
        else if (UNSAFE.has(name)) push(start(key), `"${name}" is reserved and cannot be used as a name`);
        seen.add(name);
      }
      map.items = map.items.filter(({ key }) => isScalar(key) && !UNSAFE.has(String(key.value)));
    },
  });
  const place = (path: Path): Place => locate(document.contents, path);
  const report: Faults = {
    at: (path, text, offset) => push(offsetIn(place(path), source, offset), text),
    atKey: (path, text) => push(place(path).key, text),
  };
  return {
    content: document.errors.length > 0 ? undefined : toValues(() => document.toJS(), push),
    faults,
    report,
  };
}

function toValues(read: () => unknown, push: (offset: number, text: string) => void): unknown {
  try {
    return read();
  } catch (error) {
    push(0, `this is not YAML: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Where a path leads: the nearest node there is, and the place of its key. */
interface Place {
  readonly node: Node | null;
  readonly key: number;
  readonly whole: boolean;
}

function locate(root: Node | null, path: Path): Place {
  let place: Place = { node: root, key: root === null ? 0 : start(root), whole: true };
  for (const step of path) {
    const next = child(place.node, step);
    if (next === null) return { ...place, whole: false };
    place = next;
  }
  return place;
}

function child(node: Node | null, step: string | number): Place | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (pair === undefined) return null;
    const value = isNode(pair.value) ? pair.value : null;
    return { node: value, key: isNode(pair.key) ? start(pair.key) : 0, whole: true };
  }
  if (!isSeq(node)) return null;
  const item = node.items[Number(step)];
  return isNode(item) ? { node: item, key: start(item), whole: true } : null;
}

function isNode(part: unknown): part is Node {
  return isScalar(part) || isMap(part) || isSeq(part) || isAlias(part);
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** The place in the source of the `offset`-th character of a text value; of the key, where the value is not written. */
function offsetIn({ node, key, whole }: Place, source: string, offset: number | undefined): number {
  if (node === null || !whole) return key;
  if (offset === undefined || !isScalar(node) || typeof node.value !== "string") return start(node);
  return align(node, source, offset);
}

/** Walks source and value side by side: what is only in the source (quotes, escapes, indentation) is stepped over. */
function align(scalar: Scalar, source: string, offset: number): number {
  const value = String(scalar.value);
  const from = start(scalar);
  const end = scalar.range?.[1] ?? from;
  let at = source[from] === "'" || source[from] === '"' ? from + 1 : from;
  if (scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED") at = source.indexOf("\n", from) + 1;
  let found = at;
  for (let index = 0; index <= offset && index < value.length; index++) {
    const wanted = value[index] ?? "";
    while (at < end && !same(source[at], wanted)) at++;
    if (at >= end) return found;
    found = at++;
  }
  return offset >= value.length ? Math.min(found + 1, end) : found;
}

function same(a: string | undefined, b: string): boolean {
  return a === b || (a !== undefined && /\s/.test(a) && /\s/.test(b));
}
