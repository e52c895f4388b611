import { Kafka as Client, logLevel, type Admin, type SASLOptions } from "kafkajs";
import { expect, test } from "vitest";
import { describeServer, needsOurOwn } from "./describe-server.ts";
import { USER } from "./kafka-config.ts";
import { startKafka } from "./kafka.ts";
import { answers } from "./ports.ts";

function client(brokers: string, extra: object = {}): Client {
  return new Client({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 }, ...extra });
}

async function withAdmin<T>(kafka: Client, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function ends(kafka: Client, topic: string): Promise<readonly string[]> {
  return withAdmin(kafka, async (admin) => (await admin.fetchTopicOffsets(topic)).map(({ high }) => high));
}

const DAY_MS = 86_400_000;

describeServer("Kafka", { needs: ["kafka"], start: (use) => use(startKafka()) }, (kafka) => {
  test("what was acknowledged is there after kill -9 and a restart, however old or far ahead it is", async (context) => {
    needsOurOwn(context, kafka());
    const own = client(kafka().brokers);
    await withAdmin(own, (admin) => admin.createTopics({ topics: [{ topic: "kept", numPartitions: 1 }] }));
    const producer = own.producer();
    await producer.connect();
    const stamps = [0, Date.now(), Date.now() + 400 * DAY_MS];
    await producer.send({
      topic: "kept",
      acks: -1,
      messages: stamps.map((time) => ({ value: "x", timestamp: String(time) })),
    });
    await producer.disconnect();
    await kafka().kill();
    expect(await answers(Number(kafka().brokers.split(":")[1]))).toBe(false);
    await kafka().restart();
    expect(await ends(own, "kept")).toEqual(["3"]);
  });

  test("a frozen broker answers nothing until it is thawed", async (context) => {
    needsOurOwn(context, kafka());
    const impatient = client(kafka().brokers, { requestTimeout: 500, retry: { retries: 0 } });
    kafka().freeze();
    await expect(ends(impatient, "kept")).rejects.toThrow();
    kafka().thaw();
    await expect.poll(() => ends(client(kafka().brokers), "kept"), { timeout: 20_000 }).toEqual(["3"]);
  });
});

describeServer(
  "Kafka with doors",
  {
    needs: ["kafka"],
    start: (use) => use(startKafka({ doors: ["tls", "mutualTls", "sasl", "saslTls"], proxied: true })),
  },
  (kafka) => {
    const brokersOf = (options: object, address: string | undefined) =>
      withAdmin(client(address ?? "", { retry: { retries: 0 }, ...options }), async (admin) => {
        const { brokers } = await admin.describeCluster();
        return brokers.length;
      });
    const token = (claims: object) =>
      [{ alg: "none" }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
    const now = () => Math.floor(Date.now() / 1000);
    const mechanisms: readonly SASLOptions[] = [
      { mechanism: "plain", ...USER },
      { mechanism: "scram-sha-256", ...USER },
      { mechanism: "scram-sha-512", ...USER },
      {
        mechanism: "oauthbearer",
        oauthBearerProvider: async () => ({
          value: `${token({ sub: USER.username, iat: now(), exp: now() + 600 })}.`,
        }),
      },
    ];

    test.each(mechanisms)("$mechanism lets the user in, with TLS and without", async (sasl) => {
      const ca = [kafka().certificates?.ca ?? ""];
      expect(await brokersOf({ sasl }, kafka().doors.sasl)).toBe(1);
      expect(await brokersOf({ sasl, ssl: { ca } }, kafka().doors.saslTls)).toBe(1);
    });

    test("the way through the proxy leads back to the proxy, and breaks with it", async () => {
      const proxied = kafka().proxied;
      expect(await brokersOf({}, proxied?.brokers)).toBe(1);
      proxied?.proxy.cut();
      await expect(brokersOf({}, proxied?.brokers)).rejects.toThrow();
      expect(await brokersOf({}, kafka().brokers)).toBe(1);
      proxied?.proxy.resume();
      expect(await brokersOf({}, proxied?.brokers)).toBe(1);
    });

    test("a wrong password is refused", async () => {
      const sasl = { mechanism: "plain", username: USER.username, password: "wrong" };
      await expect(brokersOf({ sasl }, kafka().doors.sasl)).rejects.toThrow("Authentication failed");
    });

    test("TLS needs our authority, mutual TLS a certificate as well", async () => {
      const { ca = "", client: identity } = kafka().certificates ?? {};
      expect(await brokersOf({ ssl: { ca: [ca] } }, kafka().doors.tls)).toBe(1);
      await expect(brokersOf({ ssl: true }, kafka().doors.tls)).rejects.toThrow();
      expect(await brokersOf({ ssl: { ca: [ca], ...identity } }, kafka().doors.mutualTls)).toBe(1);
      await expect(brokersOf({ ssl: { ca: [ca] } }, kafka().doors.mutualTls)).rejects.toThrow();
    });
  },
);
