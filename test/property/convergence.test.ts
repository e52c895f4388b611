import fc from "fast-check";
import { expect, test } from "vitest";
import { arrival, CUSTOMER, histories, shuffles } from "../helpers/history.ts";
import { historyPlan } from "../helpers/history-plan.ts";
import { canonicalOf, deliver, play, storedRows } from "../helpers/history-world.ts";
import { model } from "../helpers/model.ts";

/** `npm run test:long` looks further. */
const numRuns = Number(process.env.CUSTOMER360_HISTORIES ?? 20_000);
const LONG_MS = 60_000 + numRuns * 10;

test(
  "any order, repetition and batching of a history ends in the document the model says",
  () => {
    fc.assert(
      fc.property(histories, shuffles, fc.boolean(), (history, numbers, crashes) => {
        const world = play(arrival(history, numbers), historyPlan, crashes);
        expect(canonicalOf(world)).toBe(model(CUSTOMER, history, historyPlan));
      }),
      { numRuns },
    );
  },
  LONG_MS,
);

test(
  "what is stored of the rows, heads of dead ones included, does not depend on arrival either",
  () => {
    fc.assert(
      fc.property(histories, shuffles, shuffles, (history, numbers, others) => {
        const one = play(arrival(history, numbers), historyPlan);
        const other = play(arrival(history, others), historyPlan);
        expect(storedRows(one)).toEqual(storedRows(other));
      }),
      { numRuns: numRuns / 10 },
    );
  },
  LONG_MS,
);

test(
  "redelivery of anything, in any batches, returns the very same customer and writes no page",
  () => {
    fc.assert(
      fc.property(histories, shuffles, shuffles, (history, numbers, others) => {
        const world = play(arrival(history, numbers), historyPlan);
        for (const batch of arrival(history, others)) {
          const before = world.customer;
          const { customer, pages } = deliver(world, batch, historyPlan);
          expect(customer).toBe(before);
          expect(pages).toEqual([]);
        }
      }),
      { numRuns: numRuns / 10 },
    );
  },
  LONG_MS,
);
