import { expect, test } from "vitest";
import { shareInWords, percentOf, progress, watched } from "../../src/cli/progress.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { manualClock } from "../helpers/manual-clock.ts";

function heard(): Terminal & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, out: () => {}, err: (text) => void lines.push(text), interactive: false, color: false };
}

test("without a person watching, a line every few seconds is enough", () => {
  const [terminal, clock] = [heard(), manualClock(0)];
  const shown = progress((standing) => shareInWords("applying", standing), { terminal, clock });
  for (let ms = 0; ms <= 12_000; ms += 1_000) {
    clock.set(ms);
    shown.update({ done: ms, total: 120_000 });
  }
  expect(terminal.lines).toEqual(["applying 5,000 of 120,000 (4 %)\n", "applying 10,000 of 120,000 (8 %)\n"]);
});

test("nothing to do is all of it done", () => {
  expect(percentOf({ done: 0, total: 0 })).toBe(100);
});

test("what is watched is looked at until it ends, and its answer passed on", async () => {
  const [terminal, clock] = [heard(), manualClock()];
  let end: (answer: string) => void = () => {};
  let looks = 0;
  const answer = watched({
    ...{ terminal, clock },
    work: new Promise<string>((resolve) => (end = resolve)),
    look: () => Promise.resolve({ done: (looks += 1), total: 100 }),
    words: (standing) => shareInWords("read", standing),
  });
  await clock.advance(6_000);
  expect(terminal.lines).toEqual(["read 21 of 100 (21 %)\n"]);
  end("done");
  expect(await answer).toBe("done");
  expect(clock.sleepers()).toBe(0);
});

test("a look that fails neither ends the work nor goes uncaught", async () => {
  const [terminal, clock] = [heard(), manualClock()];
  let end: (answer: string) => void = () => {};
  const answer = watched({
    ...{ terminal, clock },
    work: new Promise<string>((resolve) => (end = resolve)),
    look: () => Promise.reject(new Error("the folder is away")),
    words: () => "",
  });
  // Rejections that nobody caught by now fail the run.
  await clock.advance(1_000);
  end("done");
  expect(await answer).toBe("done");
});

test("the failure of the work is the failure of watching it", async () => {
  const [terminal, clock] = [heard(), manualClock()];
  const work = Promise.reject(new Error("the store is full"));
  const look = () => Promise.resolve({ done: 1, total: 2 });
  await expect(watched({ work, look, words: () => "", terminal, clock })).rejects.toThrow(
    "the store is full",
  );
});
