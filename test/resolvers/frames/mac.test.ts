import { createHmac, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createMac, MAC_LENGTH } from "../../../src/resolvers/frames/mac.ts";

const LONGEST = 300;

it("is HMAC-SHA256, cut, for texts of any length, whatever was signed before", () => {
  for (const keyBytes of [1, 32, 64]) {
    const key = randomBytes(keyBytes);
    const mac = createMac(key, LONGEST);
    for (const length of [LONGEST, 0, 1, 55, 56, 63, 64, 65, 119, 120, 299]) {
      const text = randomBytes(LONGEST).toString("base64url").slice(0, length);
      const theirs = createHmac("sha256", key).update(text).digest("base64url");
      expect(mac(text)).toBe(theirs.slice(0, MAC_LENGTH));
    }
  }
});

it("refuses what it would cut off", () => {
  expect(() => createMac(randomBytes(32), LONGEST)("x".repeat(LONGEST + 1))).toThrow("too long");
  expect(() => createMac(randomBytes(65), LONGEST)).toThrow("too long");
});
