import fc from "fast-check";
import { expect, test } from "vitest";
import { globalId, readGlobalId } from "../../src/resolvers/node.ts";

const parts = (type: string) => ({ Customer: 1, Offer: 2 })[type] ?? null;

test("a global id leads back to what it was made from", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      expect(readGlobalId(globalId("Customer", a), parts)).toEqual({ type: "Customer", key: [a] });
      expect(readGlobalId(globalId("Offer", a, b), parts)).toEqual({ type: "Offer", key: [a, b] });
    }),
  );
});

test("different objects have different ids", () => {
  expect(globalId("Offer", "a", "b")).not.toBe(globalId("Offer", "a,b", ""));
  expect(globalId("Customer", "1")).not.toBe(globalId("Offer", "1"));
});

test.each([
  "",
  "1",
  "Customer:1",
  Buffer.from("Unknown:1").toString("base64url"),
  Buffer.from("Offer:1").toString("base64url"),
  Buffer.from('Offer:["1"]').toString("base64url"),
  Buffer.from('Offer:["1", "2"]').toString("base64url"),
  Buffer.from('Offer:["1",2]').toString("base64url"),
  `${globalId("Customer", "1")}=`,
])("%j is refused", (id) => {
  expect(() => readGlobalId(id, parts)).toThrow("not a global id");
});
