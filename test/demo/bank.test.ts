import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { SourceRecord } from "../../src/cdc/change.ts";
import { bank, CARD_TRANSACTIONS_KEPT, type BankOptions } from "../../src/demo/bank.ts";
import { timeline } from "../../src/demo/timeline.ts";

const START_MS = Date.UTC(2026, 0, 1);

function options(change: Partial<BankOptions> = {}): BankOptions {
  const customers = change.customers ?? 40;
  const anchors = [{ slot: customers, ms: START_MS, rate: 50 }];
  return { seed: 7, customers, startMs: START_MS, timeline: timeline(anchors), ...change };
}

function lived(slots: number, change: Partial<BankOptions> = {}): readonly SourceRecord[] {
  const life = bank(options(change));
  return Array.from({ length: slots }, (_, slot) => life.records(slot)).flat();
}

const decoder = new TextDecoder();
const read = (bytes: Uint8Array | null) => (bytes === null ? null : decoder.decode(bytes));
const fingerprint = (records: readonly SourceRecord[]) =>
  createHash("sha256")
    .update(
      records.map(({ key, value, ...rest }) => JSON.stringify([rest, read(key), read(value)])).join("\n"),
    )
    .digest("hex");

interface Envelope {
  readonly payload?: Envelope;
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly source: { readonly lsn: number };
}

/** Envelopes of a topic with the record they came in. */
function envelopes(records: readonly SourceRecord[], topic: string) {
  return records.flatMap((record) => {
    if (record.topic !== topic || record.value === null) return [];
    const value = JSON.parse(read(record.value) ?? "null") as Envelope;
    return [{ record, ...(value.payload ?? value) }];
  });
}

describe("the demo bank", () => {
  test("the same seed makes the same bytes, another seed others", () => {
    expect(fingerprint(lived(2_000))).toBe(fingerprint(lived(2_000)));
    expect(fingerprint(lived(2_000, { seed: 8 }))).not.toBe(fingerprint(lived(2_000)));
  });

  test("a slot is the same whether or not what came before it was made", () => {
    const whole = bank(options());
    for (let slot = 0; slot < 5_000; slot++) whole.records(slot);
    expect(fingerprint(bank(options()).records(4_321))).toBe(fingerprint(whole.records(4_321)));
  });

  test("offsets rise within a partition, save for redeliveries of the very same record", () => {
    const last = new Map<string, SourceRecord>();
    for (const record of lived(6_000)) {
      const place = `${record.topic}/${record.partition}`;
      const before = last.get(place);
      last.set(place, record);
      if (before === undefined || BigInt(record.offset) > BigInt(before.offset)) continue;
      expect([record.offset, read(record.value)]).toEqual([before.offset, read(before.value)]);
      expect(record.topic).toBe("checking_acct");
    }
  });

  test("the snapshot reads every customer once and at least one account of each", () => {
    const snapshot = lived(40);
    expect(envelopes(snapshot, "bank.public.customers").map(({ op }) => op)).toEqual(Array(40).fill("r"));
    const owners = new Set(
      envelopes(snapshot, "bank.public.accounts").map(({ after }) => after?.["customer_id"]),
    );
    expect(owners.size).toBe(40);
  });

  test("some accounts have ids that a double cannot hold", () => {
    const keys = lived(40).filter(({ topic }) => topic === "bank.public.accounts");
    const ids = keys.map(({ key }) => /"id":(\d+)\}/.exec(read(key) ?? "")?.[1] ?? "0");
    const large = ids.filter((id) => BigInt(id) > 2n ** 53n);
    expect(large.length).toBeGreaterThan(0);
    expect(large.some((id) => String(Number(id)) !== id)).toBe(true);
  });

  test("late, doubled and swapped changes and deletions all happen", () => {
    const records = lived(20_000);
    const seen = { late: 0, doubled: 0, deleted: 0, tombstones: 0, afterDelete: 0 };
    const newest = new Map<string, number>();
    const gone = new Set<string>();
    for (const topic of ["bank.public.accounts", "bank.public.card_transactions"]) {
      for (const { record, op, source } of envelopes(records, topic)) {
        const key = `${topic} ${read(record.key)}`;
        const before = newest.get(key) ?? -1;
        if (source.lsn < before) seen.late++;
        if (source.lsn === before && op !== "r") seen.doubled++;
        if (op === "c" && gone.has(key)) seen.afterDelete++;
        if (op === "d") gone.add(key);
        newest.set(key, Math.max(before, source.lsn));
      }
    }
    seen.deleted = gone.size;
    seen.tombstones = records.filter(({ value }) => value === null).length;
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5);
  });

  test("a customer keeps a bounded number of card transactions", () => {
    const live = new Map<number, Set<string>>();
    for (const { record, op, after } of envelopes(lived(20_000), "bank.public.card_transactions")) {
      const key = read(record.key) ?? "";
      const customer = Math.round(Number(/\d+/.exec(key)?.[0]) / 1e9);
      const own = live.get(customer) ?? new Set<string>();
      live.set(customer, own);
      if (after === null) own.delete(key);
      else if (op !== "r") own.add(key);
    }
    const most = Math.max(...[...live.values()].map((own) => own.size));
    expect(most).toBeGreaterThan(CARD_TRANSACTIONS_KEPT / 2);
    expect(most).toBeLessThan(CARD_TRANSACTIONS_KEPT * 1.5);
  });

  test("the marketing feed is as its collector sends it", () => {
    const feed = lived(400).filter(({ topic }) => topic === "purchase_trends");
    const values = feed.map(({ value }) => JSON.parse(read(value) ?? "") as Record<string, Envelope>);
    for (const value of values) expect(Object.keys(value)).toEqual(["payload", "schema", "processingTime"]);
    const payloads = values.flatMap(({ payload }) => (payload === undefined ? [] : [payload]));
    expect(new Set(payloads.map(({ source }) => source.lsn))).toEqual(new Set([24563232]));
    for (const { before, after, op } of payloads) {
      expect(before).toEqual(after);
      expect(after?.["datetime_created"]).toBe(after?.["datetime_updated"]);
      expect(op).toBe(after?.["home_mortgage_purchased_ts"] === null ? "i" : "u");
      expect(["string", "object"]).toContain(typeof after?.["customer_id"]);
    }
    const keys = feed.map(({ key }) => read(key) ?? "");
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBeGreaterThan(keys.length * 0.9);
  });

  test("counters climb past the thresholds of the pipeline and start over", () => {
    const trends = envelopes(lived(20_000), "purchase_trends").filter(
      ({ after }) => after?.["customer_id"] === "1",
    );
    const tickets = trends.map(({ after }) => Number(after?.["number_of_concert_tickets"]));
    const online = trends.map(({ after }) => Number(after?.["number_of_online_txns"]));
    expect([Math.min(...tickets), Math.max(...tickets)]).toEqual([0, 7]);
    expect(Math.min(...online)).toBeLessThanOrEqual(2);
    expect(Math.max(...online)).toBeGreaterThan(10);
  });

  test.each([1, 2, 9, 11, 13])("a bank of %i customers lives too", (customers) => {
    expect(lived(500, { customers }).length).toBeGreaterThan(500);
  });
});
