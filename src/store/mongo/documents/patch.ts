import { fieldName } from "./names.ts";
import { isSame, stored, type Stored } from "./values.ts";

/** An update of a document by paths. Operators that stay empty are left out. */
export interface Patch {
  readonly set: Record<string, unknown>;
  readonly unset: Record<string, true>;
}

/** Two versions of one part of a document, and where it is in it. */
export interface Versions {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** How many levels of entries may be patched one by one; below them a part is written whole. */
  readonly depth: number;
}

/**
 * An empty patch. Paths hold row keys: were these ordinary objects,
 * the engine would note a shape of its own for nearly each of them.
 */
export function newPatch(): Patch {
  return {
    set: Object.create(null) as Record<string, unknown>,
    unset: Object.create(null) as Record<string, true>,
  };
}

/**
 * Adds what makes one version of a part into the next. Parts are shared between versions, so what is the same object did not
 * change. Where half of the entries or more did, the part is written whole: few paths cost a server less than many.
 */
export function diff(patch: Patch, { path, before, after, depth }: Versions): void {
  if (before === after) return;
  if (after === undefined) {
    patch.unset[path] = true;
    return;
  }
  if (depth === 0 || !isMap(before) || !isMap(after)) {
    if (!isSame(before, after)) patch.set[path] = stored(after);
    return;
  }
  const names = Object.keys(after);
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  if (depth > 1) {
    for (const name of names)
      diff(patch, {
        path: `${path}.${fieldName(name)}`,
        before: own(before, name),
        after: after[name],
        depth: depth - 1,
      });
  } else {
    const changed = names.filter((name) => !isSame(own(before, name), after[name]));
    const isMost = 2 * (changed.length + gone.length) > names.length && names.length > 2;
    if (isMost) {
      patch.set[path] = stored(after);
      return;
    }
    for (const name of changed) put(patch, `${path}.${fieldName(name)}`, after[name]);
  }
  for (const name of gone) patch.unset[`${path}.${fieldName(name)}`] = true;
}

function put(patch: Patch, path: string, value: unknown): void {
  if (value === undefined) patch.unset[path] = true;
  else patch.set[path] = stored(value);
}

/** The patch as a server takes it. */
export function operators({ set, unset }: Patch): Stored {
  return {
    ...(isEmpty(set) ? {} : { $set: set }),
    ...(isEmpty(unset) ? {} : { $unset: unset }),
  };
}

function isEmpty(fields: object): boolean {
  for (const _ in fields) return false;
  return true;
}

/** An entry, and never what every object has under that name. */
function own(entries: Stored, name: string): unknown {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

function isMap(part: unknown): part is Stored {
  return typeof part === "object" && part !== null && !Array.isArray(part);
}
