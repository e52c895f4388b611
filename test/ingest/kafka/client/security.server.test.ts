import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { codeOf } from "../../../../src/errors.ts";
import type { KafkaSecurity, KafkaTls } from "../../../../src/ingest/kafka/client/security.ts";
import { kafkaSource, type KafkaSource } from "../../../../src/ingest/kafka/source.ts";
import { lineLog } from "../../../../src/log.ts";
import { ledger, reader, values } from "../../../helpers/kafka-reader.ts";
import { fresh, openTopics, QUICK, warm } from "../../../helpers/kafka-topics.ts";
import { describeServer } from "../../../servers/describe-server.ts";
import { USER, type Door } from "../../../servers/kafka-config.ts";
import { startKafka, type Kafka } from "../../../servers/kafka.ts";

interface Secured {
  readonly kafka: Kafka;
  readonly topic: string;
}

async function start(use: (starting: Promise<Kafka>) => Promise<Kafka>): Promise<Secured> {
  const kafka = await use(startKafka({ doors: ["tls", "mutualTls", "sasl", "saslTls"] }));
  await warm(kafka.brokers);
  const topics = await openTopics(kafka.brokers);
  const topic = fresh("secured");
  await topics.create(topic);
  await topics.send(topic, 0, [{ key: "a", value: "through the door" }]);
  await topics.close();
  return { kafka, topic };
}

function token(claims: object): string {
  const parts = [{ alg: "none" }, claims];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;
}

describeServer("the Kafka source behind doors", { needs: ["kafka"], start }, (secured) => {
  const opened: KafkaSource[] = [];
  const lines: string[] = [];
  afterEach(async () => {
    for (const source of opened.splice(0)) await source.close();
    lines.splice(0);
  });

  const through = (door: Door, security: KafkaSecurity): KafkaSource => {
    const { kafka, topic } = secured();
    const source = kafkaSource({
      brokers: [kafka.doors[door] ?? ""],
      security,
      groupId: fresh("group"),
      topics: [topic],
      clock: systemClock,
      log: lineLog(
        (line) => lines.push(line),
        () => new Date(0),
      ),
      limits: QUICK,
    });
    opened.push(source);
    return source;
  };
  const read = async (door: Door, security: KafkaSecurity): Promise<string[]> => {
    const source = through(door, security);
    const kept = ledger();
    await source.start(kept.list);
    const one = reader(source, kept);
    await one.until(({ records }) => records.length > 0);
    return values(one.records);
  };
  const tls = (): KafkaTls => ({ ca: secured().kafka.certificates?.ca ?? "", certificate: null });
  const identity = () => secured().kafka.certificates?.client ?? { cert: "", key: "" };

  const BEARER = {
    mechanism: "OAUTHBEARER",
    token: () => {
      const now = Math.floor(Date.now() / 1000);
      return Promise.resolve(token({ sub: USER.username, iat: now, exp: now + 600 }));
    },
  } as const;

  test.each([
    { mechanism: "PLAIN", ...USER } as const,
    { mechanism: "SCRAM-SHA-256", ...USER } as const,
    { mechanism: "SCRAM-SHA-512", ...USER } as const,
    BEARER,
  ])("$mechanism opens the door, with TLS and without", async (sasl) => {
    expect(await read("sasl", { tls: null, sasl })).toEqual(["through the door"]);
    expect(await read("saslTls", { tls: tls(), sasl })).toEqual(["through the door"]);
  });

  test("TLS and mutual TLS open their doors", async () => {
    expect(await read("tls", { tls: tls(), sasl: null })).toEqual(["through the door"]);
    const mutual = { ...tls(), certificate: identity() };
    expect(await read("mutualTls", { tls: mutual, sasl: null })).toEqual(["through the door"]);
  });

  test.each(["PLAIN", "SCRAM-SHA-256"] as const)("a wrong password for %s ends ingest", async (mechanism) => {
    const sasl = { mechanism, username: USER.username, password: "hunter2-wrong" };
    const failure: unknown = await through("sasl", { tls: null, sasl })
      .start(ledger().list)
      .catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("SOURCE_FAILED");
    const told = `${String(failure)} ${lines.join("")}`;
    expect(told).not.toContain("hunter2");
    expect(told).toContain("uthentication");
  });

  test("a broker whose certificate nobody vouches for is not talked to", async () => {
    const strangers = { tls: { ca: null, certificate: null }, sasl: null };
    const failure: unknown = await through("tls", strangers)
      .start(ledger().list)
      .catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("SOURCE_FAILED");
  });
});
