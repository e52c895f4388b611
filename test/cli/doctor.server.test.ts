import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import { silentLog } from "../../src/log.ts";
import { loadPlan } from "../../src/plan/load.ts";
import { openMongoStore } from "../../src/store/mongo/store.ts";
import { EMPTY_SAVE } from "../../src/store/store.ts";
import { fresh, openTopics, type KafkaTopics } from "../helpers/kafka-topics.ts";
import { tellRedis } from "../helpers/redis.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMongo } from "../servers/mongo.ts";
import { startRedis } from "../servers/redis.ts";

const SECRET = "a-secret-of-more-than-32-characters-in-all";
const PASSWORD = "correct-horse-battery";

const pipeline = (...topics: readonly string[]): string => `name: shop
tables:
  policies:
    topics: [${topics.map((topic) => JSON.stringify(topic)).join(", ")}]
    key: [id]
    customer: customer_id
    rows: many
    columns:
      id: { type: bigint }
      customer_id: { type: text }
`;

describeServer(
  "the doctor",
  {
    needs: ["kafka", "mongo", "redis"],
    start: async (use) => {
      const users = [
        "user default on nopass ~* +@all",
        `user limited on >${PASSWORD} ~{c360:* +@all -xadd -time`,
      ];
      const [kafka, mongo, redis] = await Promise.all([
        use(startKafka()),
        use(startMongo()),
        use(startRedis({ users })),
      ]);
      const topics = await openTopics(kafka.brokers);
      afterAll(() => topics.close());
      return { kafka, mongo, redis, topics };
    },
  },
  (servers) => {
    let directory: string;
    let database: string;
    let topic: string;
    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), "doctor-"));
      database = fresh("doctor");
      topic = fresh("shop.policies");
      await tellRedis(servers().redis.url, "CONFIG", "SET", "maxmemory-policy", "noeviction");
      vi.stubEnv("KAFKA_BROKERS", servers().kafka.brokers);
      vi.stubEnv("KAFKA_GROUP", topic);
      vi.stubEnv("MONGODB_URI", uri());
      vi.stubEnv("REDIS_URL", servers().redis.url);
      vi.stubEnv("CURSOR_SECRET", SECRET);
    });
    afterEach(() => {
      vi.unstubAllEnvs();
      rmSync(directory, { recursive: true });
    });
    const uri = (): string => {
      const url = new URL(servers().mongo.uri);
      url.pathname = `/${database}`;
      return url.href;
    };

    /** What the doctor says, and its exit code; a machine at its limits gets time. */
    const examined = async (text: string): Promise<{ readonly code: number; readonly out: string }> => {
      const file = join(directory, "shop.yaml");
      writeFileSync(file, text);
      let out = "";
      const take = (more: string) => void (out += more);
      const terminal = { out: take, err: take, interactive: false, color: false };
      const args = ["doctor", file, "--data-dir", join(directory, "data"), "--timeout", "60"];
      return { code: await run(args, terminal, new AbortController().signal), out };
    };

    /** A topic of ten records, and a store that has read it up to an offset. */
    const readTo = async (offset: number): Promise<KafkaTopics> => {
      const { topics } = servers();
      await topics.create(topic);
      await topics.send(
        topic,
        0,
        Array.from({ length: 10 }, () => ({ key: "k", value: "{}" })),
      );
      await topics.admin.setOffsets({
        groupId: topic,
        topic,
        partitions: [{ partition: 0, offset: String(offset) }],
      });
      const plan = loadPlan(pipeline(topic), "shop.yaml");
      const store = await openMongoStore({ uri: uri(), plan, log: silentLog });
      await store.save({ ...EMPTY_SAVE, checkpoints: [{ topic, partition: 0, nextOffset: String(offset) }] });
      await store.close();
      return topics;
    };

    test("where everything is well nothing is wrong, and the exit code is 0", async () => {
      await readTo(4);
      const { code, out } = await examined(pipeline(topic));
      expect(out).not.toMatch(/^wrong/m);
      expect(out).toContain(`ok       kafka progress: ${topic}: partitions: 1, records to read: 6`);
      expect(out).toContain("ok       mongodb indexes: all there");
      expect(out).toContain("ok       redis rights: everything that is called may be called");
      expect(out).toMatch(/^ok {7}redis clock: (behind|ahead of) ours by \d+ ms/m);
      expect(out).not.toContain(SECRET);
      expect(code).toBe(0);
    });

    test("it leaves nothing behind: neither a key nor a document, and no group", async () => {
      const { topics, redis } = servers();
      await topics.create(topic);
      await tellRedis(redis.url, "FLUSHALL");
      expect((await examined(pipeline(topic))).code).toBe(0);
      expect(await tellRedis(redis.url, "DBSIZE")).toBe(0);
      const client = new MongoClient(uri());
      expect(await client.db().collection("meta").countDocuments()).toBe(0);
      await client.close();
      const { groups } = await topics.admin.listGroups();
      expect(groups.map(({ groupId }) => groupId)).not.toContain(topic);
    });

    test("a Redis that evicts is named with its policy, and the exit code is 1", async () => {
      await servers().topics.create(topic);
      await tellRedis(servers().redis.url, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
      const { code, out } = await examined(pipeline(topic));
      expect(out).toMatch(/^wrong {4}redis eviction: maxmemory-policy allkeys-lru.* -> CONFIG SET/m);
      expect(code).toBe(1);
    });

    test("a right that Redis withholds is named; the clock that may not be asked is no fault", async () => {
      await servers().topics.create(topic);
      vi.stubEnv("REDIS_URL", servers().redis.url.replace("//", `//limited:${PASSWORD}@`));
      const { code, out } = await examined(pipeline(topic));
      expect(out).toMatch(/^wrong {4}redis rights: refused: XADD: /m);
      expect(out).toMatch(/^ok {7}redis clock: not told/m);
      expect(out).not.toContain(PASSWORD);
      expect(code).toBe(1);
    });

    test("a password that is refused is told without it", async () => {
      await servers().topics.create(topic);
      vi.stubEnv("REDIS_URL", servers().redis.url.replace("//", `//limited:${PASSWORD}-not@`));
      const { code, out } = await examined(pipeline(topic));
      expect(out).toMatch(/^wrong {4}redis connection: .*WRONGPASS/m);
      expect(out).not.toContain(PASSWORD);
      expect(code).toBe(1);
    });

    test("a table without any of its topics is wrong, one of two is a warning", async () => {
      await servers().topics.create(topic);
      const none = await examined(pipeline("shop.nowhere"));
      expect(none.out).toMatch(/^wrong {4}kafka topics: table policies: no topic shop\.nowhere -> /m);
      expect(none.code).toBe(1);
      const pattern = await examined(pipeline(String.raw`/shop\.nowhere\..+/`));
      expect(pattern.out).toMatch(/^wrong {4}kafka topics: table policies: no topic \/shop/m);
      const one = await examined(pipeline(topic, "shop.nowhere"));
      expect(one.out).toMatch(/^warning {2}kafka topics: table policies: no topic shop\.nowhere -> /m);
      expect(one.code).toBe(0);
    });

    test("a checkpoint that retention has passed is named with both offsets", async () => {
      await (await readTo(2)).remove(topic, 0, 5);
      const { code, out } = await examined(pipeline(topic));
      expect(out).toContain(`wrong    kafka progress: ${topic}/0: retention has passed us: we are at 2`);
      expect(out).toContain("the topic begins at 5 -> have the connector take a snapshot");
      expect(code).toBe(1);
    });

    test("a topic that ends before the checkpoint is told apart from one that retention has passed", async () => {
      await readTo(11);
      const { code, out } = await examined(pipeline(topic));
      expect(out).toContain(
        `wrong    kafka progress: ${topic}/0: our checkpoint 11 lies behind the topic's end`,
      );
      expect(code).toBe(1);
    });

    test("a topic that was never read and has lost its beginning is a warning", async () => {
      const { topics } = servers();
      await topics.create(topic);
      await topics.send(
        topic,
        0,
        Array.from({ length: 10 }, () => ({ key: "k", value: "{}" })),
      );
      await topics.remove(topic, 0, 5);
      const { code, out } = await examined(pipeline(topic));
      expect(out).toContain(
        `warning  kafka progress: ${topic}: partitions: 1, records to read: 5; the first records of 1 are gone`,
      );
      expect(code).toBe(0);
    });

    test("a topic that keeps records for less than a day is a warning", async () => {
      await servers().topics.create(topic, 1, { "retention.ms": "3600000" });
      const { code, out } = await examined(pipeline(topic));
      expect(out).toContain(`warning  kafka retention: less than a day: ${topic} (retention.ms 3600000)`);
      expect(code).toBe(0);
    });

    test("an index that was dropped is named", async () => {
      await readTo(4);
      const client = new MongoClient(uri());
      await client.db().collection("pages").dropIndex("table_1_keys_1");
      await client.close();
      const { code, out } = await examined(pipeline(topic));
      expect(out).toContain('wrong    mongodb indexes: missing: pages {"table":1,"keys":1} -> restart');
      expect(code).toBe(1);
    });

    test("a component that is away is named, and the others are looked at all the same", async () => {
      await servers().topics.create(topic);
      vi.stubEnv("MONGODB_URI", "mongodb://joe:s3cret@127.0.0.1:1/shop?serverSelectionTimeoutMS=300");
      const { code, out } = await examined(pipeline(topic));
      expect(out).toMatch(/^wrong {4}mongodb connection: .* -> check that it runs, MONGODB_URI/m);
      expect(out).toMatch(/^warning {2}kafka progress: .*repair the store first/m);
      expect(out).toMatch(/^ok {7}redis eviction/m);
      expect(out).not.toContain("s3cret");
      expect(code).toBe(1);
    });
  },
);
