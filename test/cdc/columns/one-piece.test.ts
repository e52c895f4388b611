import fc from "fast-check";
import { expect, test } from "vitest";
import { inOnePiece } from "../../../src/cdc/columns/one-piece.ts";

test("texts in one piece read as if they had been added up, whatever their characters and length", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.string({ minLength: 100, maxLength: 300 }),
  );
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      expect(inOnePiece(a, b, c, d)).toBe(a + b + c + d);
    }),
  );
});

test("a text that ends where the room does is whole", () => {
  const most = "x".repeat(256);
  expect(inOnePiece(most, "", "")).toBe(most);
  expect(inOnePiece(most, "y", "")).toBe(`${most}y`);
  expect(inOnePiece("é", most.slice(1), "")).toBe(`é${most.slice(1)}`);
});
