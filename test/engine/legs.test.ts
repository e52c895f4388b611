import { expect, test } from "vitest";
import { nowUs } from "../../src/bench/journeys.ts";
import { Legs } from "./legs.ts";

const frame = (appliedMs: number, sentMs: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      age: { applied: new Date(appliedMs).toISOString(), sent: new Date(sentMs).toISOString() },
      customer: { freshness: { ingested: new Date(0).toISOString() } },
    }),
  );

test("the legs of a journey are told by the clocks it passed, and add up to the whole of it", () => {
  const legs = new Legs();
  const [stampUs, nowMs] = [nowUs(), Date.now()];
  legs.seen(frame(nowMs + 20, nowMs + 25), stampUs, stampUs + 28_000);
  const [applied, sent, seen] = legs.measures("at rest", 4).map(({ value }) => value ?? Number.NaN);
  expect(applied).toBeGreaterThan(17);
  expect(applied).toBeLessThan(23);
  expect(sent).toBe(5);
  expect((applied ?? 0) + (sent ?? 0) + (seen ?? 0)).toBeCloseTo(28, 3);
});

test("a frame without its clocks is no figure", () => {
  expect(() => new Legs().seen(Buffer.from("{}"), nowUs(), nowUs())).toThrow("without the clock applied");
});
