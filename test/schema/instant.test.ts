import { expect, it } from "vitest";
import { instantOrNull, instantText } from "../../src/schema/instant.ts";
import { randomOf } from "../helpers/random-operations.ts";

const LAST_MS = 8.64e15;

it("is the text that Date gives, in any order, before 1970, after the year 9999, and between milliseconds", () => {
  const random = randomOf(1);
  const near = Array.from({ length: 300 }, () => 1.8e12 + Math.floor(random() * 200_000));
  const far = Array.from({ length: 300 }, () => Math.floor((random() - 0.5) * 2 * LAST_MS));
  const odd = [
    0,
    -1,
    1,
    59_999,
    60_000,
    -60_000,
    -60_001,
    LAST_MS,
    -LAST_MS,
    1.5,
    59_999.9,
    -0.5,
    1e12 + 0.999,
  ];
  for (const ms of [...near, ...far, ...odd]) expect(instantText(ms)).toBe(new Date(ms).toISOString());
});

it("throws for what is no instant, and is right again after that", () => {
  for (const ms of [Number.NaN, Infinity, LAST_MS + 1, LAST_MS + 60_000])
    expect(() => instantText(ms)).toThrow(RangeError);
  expect(instantText(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(instantOrNull(null)).toBeNull();
});
