import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { beginProgress, replayId } from "../../src/ingest/replay/progress.ts";
import { silentLog } from "../../src/log.ts";
import { loadPlan } from "../../src/plan/load.ts";
import { openMongoStore } from "../../src/store/mongo/store.ts";
import { documentsOf } from "../helpers/documents.ts";
import { fresh, openTopics, warm, type Sent } from "../helpers/kafka-topics.ts";
import { said } from "./said.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMongo } from "../servers/mongo.ts";
import { startRedis } from "../servers/redis.ts";

const ROOT = join(import.meta.dirname, "../..");

const pipeline = (topic: string): string => `name: shop
tables:
  policies:
    topics: [${topic}]
    key: [id]
    customer: customer_id
    rows: many
    sequenceBy: [version]
    columns:
      id: { type: bigint }
      customer_id: { type: text }
      version: { type: bigint }
`;

/** Changes of fifty policies of seven customers. */
const changes = (from: number, count: number): readonly Sent[] =>
  Array.from({ length: count }, (_, at) => {
    const id = (from + at) % 50;
    const after = { id, customer_id: `c${id % 7}`, version: from + at };
    return { key: String(id), value: JSON.stringify({ op: "u", before: null, after }) };
  });

describeServer(
  "replay of topics",
  {
    needs: ["kafka", "mongo", "redis"],
    start: async (use) => {
      const [kafka, mongo, redis] = await Promise.all([
        use(startKafka()),
        use(startMongo()),
        use(startRedis()),
      ]);
      await warm(kafka.brokers);
      const topics = await openTopics(kafka.brokers);
      afterAll(() => topics.close());
      return { kafka, mongo, redis, topics };
    },
  },
  (servers) => {
    let directory: string;
    let database: string;
    let topic: string;
    const children = new Set<ChildProcess>();
    beforeAll(() => {
      execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { cwd: ROOT, stdio: "pipe" });
    }, 240_000);
    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), "replay-"));
      database = fresh("replay");
      topic = fresh("shop.policies");
      vi.stubEnv("KAFKA_BROKERS", servers().kafka.brokers);
      vi.stubEnv("KAFKA_GROUP", topic);
      vi.stubEnv("MONGODB_URI", uri());
      vi.stubEnv("REDIS_URL", servers().redis.url);
      writeFileSync(join(directory, "shop.yaml"), pipeline(topic));
      await servers().topics.create(topic, 2);
    });
    afterEach(async () => {
      for (const child of children) child.kill("SIGKILL");
      children.clear();
      vi.unstubAllEnvs();
      rmSync(directory, { recursive: true });
    });
    const uri = (name = database): string => {
      const url = new URL(servers().mongo.uri);
      url.pathname = `/${name}`;
      return url.href;
    };

    const args = (...more: readonly string[]) => ["replay", join(directory, "shop.yaml"), ...more];
    const replay = (...more: readonly string[]) => said(...args(...more));

    const opened = async <T>(
      look: (store: Awaited<ReturnType<typeof openMongoStore>>) => Promise<T>,
      name = database,
    ): Promise<T> => {
      const plan = loadPlan(pipeline(topic), "shop.yaml");
      const store = await openMongoStore({ uri: uri(name), plan, log: silentLog });
      try {
        return await look(store);
      } finally {
        await store.close();
      }
    };

    const documentsIn = (name = database) => opened(documentsOf, name);

    /** All that is stored, but for counts, which count what is read again as read. */
    const rowsIn = async (name = database): Promise<string> => {
      const client = new MongoClient(uri(name));
      try {
        const kept = ["customers", "pages", "quarantine", "checkpoints", "truncates", "meta"];
        const found = kept.map(async (one) => [
          one,
          await client.db().collection(one).find().sort({ _id: 1 }).toArray(),
        ]);
        return JSON.stringify(await Promise.all(found));
      } finally {
        await client.close();
      }
    };

    const checkpoints = () => opened((store) => store.checkpoints());

    /** A process of its own that ingests until it is killed. */
    const ingesting = (): ChildProcess => {
      const main = join(ROOT, "dist/main.js");
      const child = spawn(
        process.execPath,
        [main, "start", join(directory, "shop.yaml"), "--role", "ingest", "--port", "0"],
        { stdio: "ignore", env: process.env },
      );
      children.add(child);
      return child;
    };

    const applied = async (count: number): Promise<void> => {
      await expect
        .poll(async () => (await checkpoints()).reduce((sum, one) => sum + Number(one.nextOffset), 0), {
          timeout: 60_000,
          interval: 200,
        })
        .toBe(count);
    };

    test("beside live ingest it changes no byte and moves neither checkpoints nor offsets; a new database gets the same documents", async () => {
      const { topics } = servers();
      await topics.send(topic, 0, changes(0, 300));
      await topics.send(topic, 1, changes(1_000, 200));
      const live = ingesting();
      await applied(500);
      const committed = async () => topics.admin.fetchOffsets({ groupId: topic, topics: [topic] });
      await expect
        .poll(async () => (await committed())[0]?.partitions.map(({ offset }) => Number(offset)))
        .toEqual(expect.arrayContaining([300, 200]));
      const [before, offsets] = [await rowsIn(), await committed()];
      const same = await replay();
      expect(same.code).toBe(0);
      expect(same.out).not.toContain("applied");
      expect(same.out).toMatch(/500 records read again in \d+ s; complete\n$/);
      expect(await rowsIn()).toEqual(before);
      expect(await committed()).toEqual(offsets);

      const other = fresh("rebuilt");
      const rebuilt = await replay("--into", uri(other));
      expect(rebuilt.code).toBe(0);
      expect(await documentsIn(other)).toEqual(await documentsIn());
      expect(await rowsIn()).toEqual(before);
      expect(await opened((store) => store.checkpoints(), other)).toEqual(await checkpoints());

      await topics.send(topic, 0, changes(2_000, 10));
      await applied(510);
      expect(live.exitCode).toBeNull();
      const groupId = `${topic}-replay-${replayId({ dir: null, topics: [], from: [], to: [] })}`;
      const [own] = await topics.admin.fetchOffsets({ groupId, topics: [topic] });
      expect(own?.partitions.map(({ offset }) => offset)).toEqual(["-1", "-1"]);
    });

    test("a range of times reads exactly what lies in it, a range of offsets as well", async () => {
      const { topics } = servers();
      const at = (ms: number) => ({ timestamp: String(Date.parse("2026-01-31T10:00:00Z") + ms) });
      const messages = changes(0, 60).map((one, index) => ({ ...one, partition: 0, ...at(index * 1_000) }));
      await topics.producer.send({ topic, messages });
      const times = ["--from", "2026-01-31T10:00:20Z", "--to", "2026-01-31T10:00:50Z"];
      expect((await replay(...times)).out).toMatch(/^policies +30 +applied\n30 records/);
      await opened(async (store) => {
        const { customers } = await store.load({ customers: ["c0", "c1"], pages: [], keys: {} });
        const versions = [...customers.values()].flatMap(({ tables }) =>
          Object.values(tables["policies"] ?? {}).map(({ values }) => Number(values["version"])),
        );
        expect(Math.min(...versions)).toBeGreaterThanOrEqual(20);
        expect(Math.max(...versions)).toBeLessThan(50);
      });
      const offsets = await replay("--topic", topic, "--from", "0:10", "--to", "0:25");
      expect(offsets.out).toMatch(/^policies +10 +applied\npolicies +5 +duplicate\n15 records/);
      await topics.remove(topic, 0, 5);
      const gone = await replay("--topic", topic, "--from", "0:2");
      expect(gone.code).toBe(2);
      expect(gone.err).toContain(`${topic}/0 begins at 5, retention removed what was before`);
      const unknown = await replay("--topic", "shop.other");
      expect(unknown.code).toBe(2);
      expect(unknown.err).toContain(`the pipeline reads no topic shop.other: it reads ${topic}`);
    });

    test("killed in the middle and started again it reads the rest only, to the ends of the first start", async () => {
      const { topics } = servers();
      const count = 60_000;
      for (let from = 0; from < count; from += 5_000) await topics.send(topic, 0, changes(from, 5_000));
      const first = spawn(process.execPath, [join(ROOT, "dist/main.js"), ...args()], { stdio: "ignore" });
      children.add(first);
      const done = async () =>
        Number((await checkpoints()).find((one) => one.topic.includes(":at:"))?.nextOffset ?? 0);
      await expect.poll(done, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
      first.kill("SIGKILL");
      await new Promise((resolve) => first.once("exit", resolve));
      await topics.send(topic, 0, changes(count, 100));
      const left = count - (await done());
      expect(left).toBeLessThan(count);
      expect(left).toBeGreaterThan(0);
      const second = await replay();
      expect(second.err).toContain("going on where it was stopped");
      expect(second.out).toContain(`${left.toLocaleString("en-US")} records read again`);
      expect(second.out).toContain("; complete");
      expect(await checkpoints()).toEqual([]);
      await opened(async (store) => {
        const { customers } = await store.load({ customers: ["c0"], pages: [], keys: {} });
        const versions = Object.values(customers.get("c0")?.tables["policies"] ?? {}).map(({ values }) =>
          Number(values["version"]),
        );
        expect(Math.max(...versions)).toBe(count - 1);
      });
    });

    test("with the end of its topic gone it says so, and does not wait", async () => {
      const { topics } = servers();
      await topics.send(topic, 0, changes(0, 10));
      expect((await replay()).code).toBe(0);
      await opened(async (store) => {
        const id = replayId({ dir: null, topics: [], from: [], to: [] });
        await beginProgress(store, id, [{ topic, partition: 0, from: 0n, to: 50n }]);
      });
      const { code, err } = await replay();
      expect(code).toBe(1);
      expect(err).toContain("SOURCE_FAILED");
      expect(err).toContain("--restart reads what there is");
      expect((await replay("--restart")).code).toBe(0);
    });
  },
);
