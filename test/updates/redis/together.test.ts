import { expect, test } from "vitest";
import { together } from "../../../src/updates/redis/together.ts";

/** Attempts that the test ends, in their order. */
function attempts() {
  const open: { readonly end: (result: number) => void; readonly fail: (error: Error) => void }[] = [];
  let begun = 0;
  const ask = together(
    () =>
      new Promise<number>((end, fail) => {
        begun += 1;
        open.push({ end, fail });
      }),
  );
  return { ask, begun: () => begun, next: () => open.shift() };
}

test("whoever asks is answered by an attempt that began after that, and those who ask meanwhile share one", async () => {
  const { ask, begun, next } = attempts();
  const first = ask();
  await expect.poll(begun).toBe(1);
  const others = [ask(), ask(), ask()];
  next()?.end(1);
  expect(await first).toBe(1);
  await expect.poll(begun).toBe(2);
  next()?.end(2);
  expect(await Promise.all(others)).toEqual([2, 2, 2]);
  expect(begun()).toBe(2);
});

test("an attempt that fails fails those it was made for, and nobody who asked during it", async () => {
  const { ask, begun, next } = attempts();
  const first = ask();
  await expect.poll(begun).toBe(1);
  const later = ask();
  const failed = expect(first).rejects.toThrow("away");
  next()?.fail(new Error("away"));
  await failed;
  await expect.poll(begun).toBe(2);
  next()?.end(2);
  expect(await later).toBe(2);
});
