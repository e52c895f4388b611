import { describe, expect, test } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import { isRebalancing, kafkaFailure } from "../../../src/ingest/kafka/client/errors.ts";
import { KafkaHolding } from "../../../src/ingest/kafka/holding.ts";
import { KafkaHoldings } from "../../../src/ingest/kafka/holdings.ts";
import { clientLog } from "../../../src/ingest/kafka/client/log.ts";
import {
  markOf,
  progressName,
  readMark,
  readProgressName,
  startOf,
  type Committed,
} from "../../../src/ingest/kafka/position.ts";
import { PLAINTEXT, proofOf, type KafkaSecurity } from "../../../src/ingest/kafka/client/security.ts";
import { isTopic, missingTopics, wantedTopics } from "../../../src/ingest/kafka/topics.ts";
import { lineLog } from "../../../src/log.ts";
import { recordAt } from "../../helpers/kafka-double.ts";

const P = { topic: "t", partition: 0 } as const;
const known = (offset: bigint, life: number | null = 0): Committed => ({
  ...P,
  offset,
  life,
  witness: null,
});
const at = (topic: string, nextOffset: string, partition = 0) => ({ topic, partition, nextOffset });
const BIG = "9007199254740993";

describe("where a partition goes on", () => {
  const marks = { ...P, low: 5n, high: 20n };

  test.each([
    ["at its start when nothing is stored, whatever the group says", known(9n), [], { life: 0, offset: 5n }],
    ["at our checkpoint, not the group's offset", known(9n), [at("t", "12")], { life: 0, offset: 12n }],
    ["at the end when all is done", known(20n), [at("t", "20")], { life: 0, offset: 20n }],
    [
      "at the latest life's",
      known(9n, 2),
      [at("t", "19"), at("t#2", "7"), at("t#1", "9")],
      { life: 2, offset: 7n },
    ],
    [
      "at the start of a life that was begun and not gone on with",
      known(5n, 1),
      [at("t", "12")],
      { life: 1, offset: 5n },
    ],
    [
      "by its own checkpoint, not another partition's or topic's",
      known(9n),
      [at("t", "6", 1), at("tt", "7")],
      { life: 0, offset: 5n },
    ],
    [
      "where it was though others moved the group's offset",
      known(0n, null),
      [at("t", "12")],
      { life: 0, offset: 12n },
    ],
  ])("%s", (_law, committed, checkpoints, start) => {
    expect(startOf(marks, committed, checkpoints)).toEqual({ ...start, discontinuity: null });
  });

  test.each([
    ["removed", known(3n), "3", { life: 0, offset: 5n }],
    ["recreated", known(21n), "21", { life: 1, offset: 5n }],
    ["forgotten", known(-1n, null), "12", { life: 1, offset: 5n }],
    ["forgotten", undefined, "12", { life: 1, offset: 5n }],
  ])("elsewhere, and says so: %s", (kind, committed, from, start) => {
    const found = startOf(marks, committed, [at("t", from)]);
    expect(found).toEqual({ ...start, discontinuity: { kind, ...P, from, to: "5" } });
  });

  test("offsets beyond the exact numbers keep every digit", () => {
    const high = BigInt(BIG) + 10n;
    const start = startOf({ ...P, low: 0n, high }, known(1n), [at("t", BIG)]);
    expect(start.offset.toString()).toBe(BIG);
  });

  test("names of progress and marks are read as they were written", () => {
    for (const life of [0, 1, 12]) {
      expect(readProgressName(progressName("a.b", life))).toEqual({ topic: "a.b", life });
      for (const witness of [null, "0123456789abcdef"])
        expect(readMark(markOf({ life, witness }))).toEqual({ life, witness });
    }
    expect(readProgressName("file:x#0ab1")).toEqual({ topic: "file:x#0ab1", life: 0 });
    for (const foreign of [null, "", "customer360 life=x", "customer360 life=1 behind=x"])
      expect(readMark(foreign)).toEqual({ life: null, witness: null });
  });
});

describe("what waits of several partitions", () => {
  const holding = (partition: number, count: number): KafkaHolding => {
    const one = new KafkaHolding(
      { topic: "t", partition },
      { life: 0, offset: 0n, discontinuity: null },
      100n,
    );
    const records = Array.from({ length: count }, (_, offset) => recordAt({ topic: "t", partition }, offset));
    if (count > 0)
      one.push({
        topic: "t",
        partition,
        records,
        unreadable: [],
        first: 0n,
        next: BigInt(count),
        high: 100n,
      });
    return one;
  };
  const holdingsOf = (...counts: number[]): KafkaHoldings => {
    const all = new KafkaHoldings(1_000);
    for (const [partition, count] of counts.entries()) all.add(holding(partition, count));
    return all;
  };
  const sizes = (all: KafkaHoldings, maxBytes: number) =>
    Object.fromEntries(all.take(maxBytes).map(({ partition, records }) => [partition, records.length]));

  test("what the small ones leave goes to the large", () => {
    expect(sizes(holdingsOf(50, 2, 50), 200)).toEqual({ 0: 9, 1: 2, 2: 9 });
  });

  test("a partition for which there was no room comes first the next time", () => {
    const all = holdingsOf(5, 5, 5);
    const first = sizes(all, 10);
    expect(Object.keys(first)).toHaveLength(1);
    const second = sizes(all, 10);
    const third = sizes(all, 10);
    expect(new Set([first, second, third].flatMap(Object.keys)).size).toBe(3);
  });

  test("a batch ends where its records end, and behind markers once they are the last", () => {
    const one = holding(0, 2);
    one.push({ ...P, records: [], unreadable: [], first: 2n, next: 9n, high: 100n });
    expect(one.take(10)).toMatchObject({ next: 1n });
    expect(one.take(10)).toMatchObject({ next: 9n });
    expect(one.take(10)).toBeNull();
    expect(one.behind).toBe(91n);
  });

  test("records of two lives never share a batch, and the first one's progress is not the second's", () => {
    const one = holding(0, 2);
    one.moveTo({ life: 1, offset: 0n, discontinuity: null }, 5n);
    one.push({ ...P, records: [recordAt(P, 0)], unreadable: [], first: 0n, next: 1n, high: 5n });
    expect(one.take(1_000)).toMatchObject({ name: "t", next: 2n });
    expect(one.take(1_000)).toMatchObject({ name: "t#1", next: 1n });
    one.acknowledge("t", 2n);
    expect(one.takeCommit()).toBeNull();
    one.acknowledge("t#1", 1n);
    expect(one.takeCommit()).toMatchObject({ offset: 1n, life: 1 });
    expect(one.takeCommit()).toBeNull();
  });
});

test("topics are wanted by name or by a pattern of the whole name, internal ones by name only", () => {
  const existing = ["bank.a", "bank.b", "my.bank.a", "__consumer_offsets", "__x"];
  expect(wantedTopics(["bank.b", "/bank\\..+/", "__x", "none"], existing)).toEqual([
    "__x",
    "bank.a",
    "bank.b",
  ]);
  expect(wantedTopics(["/.*/"], existing)).toEqual(["bank.a", "bank.b", "my.bank.a"]);
  expect(missingTopics(["bank.b", "none", "/none/"], existing)).toEqual(["none"]);
  expect(["bank.a", "/x/", "with space", "a/b"].map(isTopic)).toEqual([true, true, false, false]);
});

describe("proof", () => {
  interface Case {
    readonly name: string;
    readonly security: KafkaSecurity;
    readonly proof: object;
  }
  const certificate = { cert: "CERT", key: "KEY", passphrase: "open" };

  const CASES: readonly Case[] = [
    { name: "PLAINTEXT", security: PLAINTEXT, proof: {} },
    {
      name: "TLS",
      security: { tls: { ca: null, certificate: null }, sasl: null },
      proof: { ssl: { rejectUnauthorized: true } },
    },
    {
      name: "mutual TLS",
      security: { tls: { ca: "CA", certificate }, sasl: null },
      proof: { ssl: { rejectUnauthorized: true, ca: ["CA"], ...certificate } },
    },
    ...(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const).map((mechanism) => ({
      name: mechanism,
      security: { tls: null, sasl: { mechanism, username: "u", password: "p" } },
      proof: { sasl: { mechanism: mechanism.toLowerCase(), username: "u", password: "p" } },
    })),
  ];

  test.each(CASES)("$name", ({ security, proof }) => {
    expect(proofOf(security)).toEqual(proof);
  });

  test("OAUTHBEARER asks for a token each time", async () => {
    let asked = 0;
    const token = () => Promise.resolve(`token ${(asked += 1)}`);
    const { sasl } = proofOf({ tls: null, sasl: { mechanism: "OAUTHBEARER", token } });
    const provide = sasl?.mechanism === "oauthbearer" ? sasl.oauthBearerProvider : null;
    expect([await provide?.(), await provide?.()]).toEqual([{ value: "token 1" }, { value: "token 2" }]);
  });
});

describe("failures", () => {
  const error = (name: string, facts: object = {}) => Object.assign(new Error("it"), { name }, facts);
  const tried = (cause: Error) =>
    Object.assign(new Error("tried", { cause }), { name: "KafkaJSNumberOfRetriesExceeded" });

  test.each([
    ["SOURCE_UNAVAILABLE", error("KafkaJSConnectionError", { code: "ECONNREFUSED" })],
    ["SOURCE_UNAVAILABLE", tried(error("KafkaJSRequestTimeoutError"))],
    ["SOURCE_UNAVAILABLE", tried(error("KafkaJSProtocolError", { retriable: true }))],
    ["SOURCE_UNAVAILABLE", error("KafkaJSProtocolError", { type: "UNKNOWN_TOPIC_OR_PARTITION" })],
    ["SOURCE_FAILED", error("KafkaJSSASLAuthenticationError")],
    ["SOURCE_FAILED", tried(error("KafkaJSConnectionError", { code: "SELF_SIGNED_CERT_IN_CHAIN" }))],
    ["SOURCE_FAILED", error("KafkaJSProtocolError", { type: "GROUP_AUTHORIZATION_FAILED", retriable: true })],
    ["SOURCE_FAILED", error("KafkaJSNonRetriableError")],
    ["SOURCE_FAILED", error("TypeError")],
  ])("%s: %o", (code, cause) => {
    expect(codeOf(kafkaFailure("reading", cause))).toBe(code);
  });

  test("a group that changes hands is told from an outage, through whatever it is wrapped in", () => {
    const cause = error("KafkaJSProtocolError", { type: "ILLEGAL_GENERATION" });
    expect(isRebalancing(kafkaFailure("committing", tried(cause)))).toBe(true);
    expect(isRebalancing(kafkaFailure("committing", error("KafkaJSConnectionError")))).toBe(false);
  });
});

test("of what the client library says, warnings are passed on without values, and the rest is left out", () => {
  const lines: string[] = [];
  const say = clientLog(
    lineLog(
      (line) => lines.push(line),
      () => new Date(0),
    ),
  );
  say({ namespace: "Runner", level: 4, log: { message: "Pausing" } });
  say({
    namespace: "Connection",
    level: 1,
    log: { message: "no", broker: "b:1", sasl: { password: "secret" }, payload: "Jane Doe", error: "closed" },
  });
  expect(lines.join("")).toBe(
    '1970-01-01T00:00:00.000Z warn kafka: no from="Connection" broker="b:1" reason="closed"\n',
  );
});
