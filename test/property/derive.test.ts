import fc from "fast-check";
import { expect, test } from "vitest";
import type { Customer, Page } from "../../src/customer/customer.ts";
import { newCustomer } from "../../src/customer/customer.ts";
import { isSeen } from "../../src/customer/apply.ts";
import { derive, type Derived } from "../../src/customer/derive.ts";
import { tableOf } from "../../src/customer/lookup.ts";
import { totalOf, totalOfRows } from "../../src/customer/derived/totals.ts";
import { arrival, CUSTOMER, histories, shuffles } from "../helpers/history.ts";
import { historyPlan as plan } from "../helpers/history-plan.ts";
import { deliver, emptyWorld, type World } from "../helpers/history-world.ts";

const numRuns = Number(process.env.CUSTOMER360_HISTORIES ?? 20_000) / 10;
const LONG_MS = 60_000 + numRuns * 20;

/** Plays a history batch by batch and looks at the world after each. */
function watch(look: (world: World, before: Customer) => void): void {
  fc.assert(
    fc.property(histories, shuffles, (history, numbers) => {
      const world = emptyWorld();
      for (const batch of arrival(history, numbers)) {
        const before = world.customer;
        world.nowMs += 10;
        deliver(world, batch, plan);
        look(world, before);
      }
    }),
    { numRuns },
  );
}

const standings = ({ segments }: Derived) =>
  Object.entries(segments).map(([name, { state, tier }]) => [name, state, tier]);
const open = ({ offers }: Derived) =>
  Object.keys(offers)
    .filter((name) => offers[name]?.state === "TRIGGERED")
    .sort();

test(
  "values derived step by step are those derived from scratch",
  () => {
    watch(({ customer, nowMs }) => {
      const { tables, notes, totals, history, crossings } = customer;
      const bare = { ...newCustomer(CUSTOMER), tables, notes, totals, history, crossings };
      const anew = derive(newCustomer(CUSTOMER), bare, { plan, nowMs });
      if (customer.revision === 0) return;
      expect(customer.metrics).toEqual(anew.metrics);
      expect(standings(customer)).toEqual(standings(anew));
      expect(open(customer)).toEqual(open(anew));
    });
  },
  LONG_MS,
);

test(
  "totals kept step by step are those counted from scratch, per page and per table",
  () => {
    watch(({ customer, pages }) => {
      const ofTable: Record<string, Page[]> = {};
      for (const page of pages.values()) {
        (ofTable[page.table] ??= []).push(page);
        const rows = Object.values(page.rows);
        expect(page.liveRows).toBe(rows.filter(({ live }) => live).length);
        for (const metric of tableOf(plan, page.table).metrics) {
          expect(page.totals[metric.name]).toEqual(totalOfRows(metric, page.rows));
        }
        const { revision, totals, liveRows } = page;
        expect(customer.notes[page.table]?.[page.page]).toEqual({ revision, totals, liveRows });
      }
      for (const [table, list] of Object.entries(ofTable)) {
        for (const metric of tableOf(plan, table).metrics) {
          const merged = totalOf(
            metric,
            list.map(({ totals }) => totals[metric.name]),
          );
          expect(customer.totals[table]?.[metric.name]).toEqual(merged);
        }
      }
    });
  },
  LONG_MS,
);

/** What readers see of a customer's field; rows of paged tables come from the world. */
type Visible = Record<string, unknown>;

function visible(customer: Customer, pages: ReadonlyMap<string, Page>): Visible {
  const fields: Visible = {};
  if (!isSeen(customer)) return fields;
  const add = (table: string, rows: Customer["tables"][string]) => {
    const live = Object.entries(rows).filter(([, row]) => row.live);
    const shown = live.map(([key, { values }]) => [key, values]);
    fields[table] = { ...(fields[table] ?? {}), ...Object.fromEntries(shown) };
  };
  for (const { name } of plan.tables) add(name, customer.tables[name] ?? {});
  for (const { table, rows } of pages.values()) add(table, rows);
  for (const [name, value] of Object.entries(customer.metrics)) fields[`metrics.${name}`] = value;
  for (const [name, state] of Object.entries(customer.segments)) fields[`segments.${name}`] = state;
  for (const [name, { rearmed: _, ...state }] of Object.entries(customer.offers))
    fields[`offers.${name}`] = state;
  return fields;
}

test(
  "the fields an update names, taken from after, turn before into after; nothing else is named, and no name is missing",
  () => {
    let told: Visible = {};
    fc.assert(
      fc.property(histories, shuffles, (history, numbers) => {
        const world = emptyWorld();
        told = visible(world.customer, world.pages);
        for (const batch of arrival(history, numbers)) {
          const { outbox } = world.customer;
          world.nowMs += 10;
          deliver(world, batch, plan);
          const after = visible(world.customer, world.pages);
          const announcement = world.customer.outbox[outbox.length];
          const changed = announcement?.changed ?? [];
          expect(world.customer.outbox.slice(0, outbox.length)).toEqual(outbox);
          expect(changed).toEqual([...new Set(changed)].sort());
          const before = told;
          told = { ...before };
          for (const field of changed) {
            if (outbox.length > 0) expect([field, after[field]]).not.toEqual([field, before[field]]);
            told[field] = after[field];
          }
          for (const { name } of plan.tables) {
            if (isSeen(world.customer)) told[name] ??= {};
          }
          expect(told).toEqual(after);
          if (announcement !== undefined) {
            expect(announcement.revision).toBe(world.customer.revision);
            expect(
              announcement.segments.every(({ segment }) => changed.includes(`segments.${segment}`)),
            ).toBe(true);
            expect(announcement.offers.every(({ offer }) => changed.includes(`offers.${offer}`))).toBe(true);
          }
        }
      }),
      { numRuns },
    );
  },
  LONG_MS,
);
