import { expect, test } from "vitest";
import { SHOWN_CHARACTERS, shownText } from "../../src/resolvers/quarantine.ts";
import { EXCERPT_BYTES } from "../../src/store/reads.ts";

const shown = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  return shownText({ head: bytes.subarray(0, EXCERPT_BYTES), bytes: bytes.length });
};

test("bytes are shown as text, up to a bound that cuts no character in two", () => {
  for (const letter of ["a", "ü", "漢", "🏦"]) {
    expect(shown(letter)).toBe(letter);
    expect(shown(letter.repeat(SHOWN_CHARACTERS + 1))).toBe(letter.repeat(SHOWN_CHARACTERS));
    expect(shown(`a${letter.repeat(SHOWN_CHARACTERS)}`)).toBe(`a${letter.repeat(SHOWN_CHARACTERS - 1)}`);
  }
  expect(shown("")).toBe("");
  expect(shown("\ufeff{}")).toBe("\ufeff{}");
  expect(shownText(null)).toBeNull();
});

test("bytes that are no text show that they are none", () => {
  expect(shownText({ head: new Uint8Array([0x61, 0xff, 0xc3]), bytes: 3 })).toBe("a\ufffd\ufffd");
});
