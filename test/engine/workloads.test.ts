import { connect } from "node:net";
import { BSON } from "mongodb";
import { expect, test } from "vitest";
import { startCountingProxy } from "./counting-proxy.ts";
import { Changes, CUSTOMERS, PARTITIONS, type Sent } from "./workloads.ts";

const COUNT = 8_000;

const customerOf = ({ key }: Sent): number => (JSON.parse(key.toString()) as { readonly id: number }).id;

/** How many changes each customer has. */
function counts(sent: readonly Sent[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const one of sent) found.set(customerOf(one), (found.get(customerOf(one)) ?? 0) + 1);
  return found;
}

test("even keys spread over all customers, and a customer is on one partition", () => {
  const sent = new Changes().next("uniform", COUNT);
  expect(counts(sent).size).toBeGreaterThan(COUNT / 2);
  expect(sent.every((one) => one.partition === customerOf(one) % PARTITIONS)).toBe(true);
});

test("a backlog has eight changes of each customer", () => {
  expect(new Set(counts(new Changes().next("backlog", COUNT)).values())).toEqual(new Set([8]));
});

test("hot customers, one in a hundred, have half of all changes and are on every partition", () => {
  const sent = new Changes().next("hot", COUNT);
  const hot = sent.filter((one) => customerOf(one) <= CUSTOMERS / 100);
  expect(hot.length / COUNT).toBeGreaterThan(0.45);
  expect(hot.length / COUNT).toBeLessThan(0.56);
  expect(new Set(hot.map(({ partition }) => partition)).size).toBe(PARTITIONS);
});

test("the markers of a turn are the last of every partition, and carry the turn's own text", () => {
  const changes = new Changes();
  const first = changes.markers();
  const second = changes.markers();
  expect(first.sent.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  expect(first.sent.every(({ value }) => value.toString().includes(first.text))).toBe(true);
  expect(second.text).not.toBe(first.text);
});

test("the proxy counts the documents that commands write, in whatever pieces they come", async () => {
  const proxy = await startCountingProxy(1);
  const body = BSON.serialize({ update: "customers", updates: [{ q: {} }, { q: {} }], $db: "bank" });
  const one = BSON.serialize({ _id: 1 });
  const insert = BSON.serialize({ insert: "quarantine", $db: "bank" });
  const list = Buffer.concat([Buffer.alloc(4), Buffer.from("documents\0"), one, one, one]);
  list.writeInt32LE(list.length);
  const sections = (...parts: readonly Uint8Array[]): Buffer => {
    const message = Buffer.concat([Buffer.alloc(20), ...parts]);
    message.writeInt32LE(message.length);
    message.writeInt32LE(2_013, 12);
    return message;
  };
  const bytes = Buffer.concat([
    sections(Buffer.from([0]), body),
    sections(Buffer.from([0]), insert, Buffer.from([1]), list),
  ]);
  const socket = connect(proxy.port, "127.0.0.1");
  socket.on("error", () => {});
  for (const byte of [bytes.subarray(0, 7), bytes.subarray(7, 90), bytes.subarray(90)]) socket.write(byte);
  await expect
    .poll(() => [...proxy.writes()])
    .toEqual([
      ["customers", 2],
      ["quarantine", 3],
    ]);
  socket.destroy();
  await proxy.stop();
});
