import fc from "fast-check";
import { expect, test } from "vitest";
import { nameOf } from "../../../../src/store/mongo/documents/names.ts";
import { diff, newPatch } from "../../../../src/store/mongo/documents/patch.ts";
import { isSame, restored, stored, type Stored } from "../../../../src/store/mongo/documents/values.ts";

const names = fc.oneof(
  fc.constantFrom("a", "b", "$c", "d.e", "", "__proto__", "constructor", "0"),
  fc.string(),
);
const leaves = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string()),
);
const entries = <T>(of: fc.Arbitrary<T>) => fc.dictionary(names, of, { maxKeys: 6 });
const parts = entries(entries(entries(leaves)));

/** What a server makes of a patch. */
function apply(document: unknown, { set, unset }: ReturnType<typeof newPatch>): unknown {
  const copy = structuredClone(document) as Record<string, unknown>;
  const at = (path: string) => {
    const steps = path.split(".");
    let into = copy;
    for (const step of steps.slice(0, -1)) into = into[step] as Record<string, unknown>;
    return [into, steps.at(-1) ?? ""] as const;
  };
  for (const [path, value] of Object.entries(set)) {
    const [into, name] = at(path);
    into[name] = value;
  }
  for (const path of Object.keys(unset)) {
    const [into, name] = at(path);
    delete into[name];
  }
  return copy;
}

test("a stored version that is patched is the next version, whole", () => {
  fc.assert(
    fc.property(parts, parts, fc.integer({ min: 0, max: 3 }), fc.boolean(), (a, b, depth, share) => {
      const after = share ? { ...a, ...Object.fromEntries(Object.entries(b).slice(0, 1)) } : b;
      const patch = newPatch();
      diff(patch, { path: "part", before: a, after, depth });
      const patched = apply({ part: stored(a) }, patch) as Stored;
      expect(isSame(restored(patched["part"]), after)).toBe(true);
      if (isSame(a, after)) expect(patch).toEqual(newPatch());
    }),
    { numRuns: 600 },
  );
});

test("one changed entry of many is one path", () => {
  const before = { t: Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`k${at}`, { n: at }])) };
  const after = { t: { ...before.t, k3: { n: 30 } } };
  const patch = newPatch();
  diff(patch, { path: "rows", before, after, depth: 2 });
  expect(patch).toEqual({ set: { "rows.t.k3": { n: 30 } }, unset: {} });
});

test("what a part holds comes back, whatever its names and texts, and no prototype is touched", () => {
  fc.assert(
    fc.property(fc.anything({ key: names, withNullPrototype: true, maxDepth: 4 }), (value) => {
      const text = JSON.stringify({ value });
      const original = JSON.parse(text) as unknown;
      expect(JSON.stringify(restored(stored(original)))).toBe(text);
    }),
    { numRuns: 600 },
  );
  expect(Object.prototype).not.toHaveProperty("polluted");
});

test("every name in a stored part is a field's name", () => {
  fc.assert(
    fc.property(parts, (part) => {
      const check = (value: unknown): void => {
        if (typeof value !== "object" || value === null || Array.isArray(value)) return;
        for (const [name, inner] of Object.entries(value)) {
          expect(name).toMatch(/^[^$.\u0000]+$/);
          expect(nameOf(name)).not.toBe(undefined);
          check(inner);
        }
      };
      check(stored(part));
    }),
  );
});
