import { expect, test } from "vitest";
import { Lately } from "../../src/store/lately.ts";

test("values used lately are kept, as many as wanted, and others go", () => {
  const lately = new Lately<number>(3);
  for (let count = 0; count < 100; count += 1) {
    lately.set(`k${count}`, count);
    lately.get("k0");
  }
  expect([lately.get("k0"), lately.get("k98"), lately.get("k99"), lately.get("k50")]).toEqual([
    0,
    98,
    99,
    undefined,
  ]);
  lately.clear();
  expect(lately.get("k0")).toBeUndefined();
});
