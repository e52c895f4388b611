import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openTopics, type KafkaTopics } from "../helpers/kafka-topics.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { startProgram } from "../servers/program.ts";
import { referenceFeed, type FeedRecord } from "./reference-feed.ts";
import { ask } from "./watching.ts";

const PATIENCE = { timeout: 60_000, interval: 100 };
const PIPELINE = join(import.meta.dirname, "../../pipelines/banking.yaml");
const PARTITIONS = 4;
const TOPICS = ["purchase_trends", "checking_acct"];

const QUERY = `{
  customers(first: 50) { nodes {
    customerId
    patterns { onlineTransactions mortgagePurchasedAt }
    metrics { onlineTransactions lifetimeDays debits credits balance }
    tiers { engagement }
  } }
  pipeline { tables { verdictCounts { verdict count } } quarantine { code count } }
}`;

interface Answer {
  readonly customers: {
    readonly nodes: readonly {
      readonly customerId: string;
      readonly patterns: {
        readonly onlineTransactions: number;
        readonly mortgagePurchasedAt: string | null;
      } | null;
      readonly metrics: Readonly<Record<string, unknown>>;
      readonly tiers: { readonly engagement: string };
    }[];
  };
  readonly pipeline: {
    readonly tables: readonly {
      readonly verdictCounts: readonly { readonly verdict: string; readonly count: number | string }[];
    }[];
    readonly quarantine: readonly unknown[];
  };
}

/** Mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const { records, expected } = referenceFeed(seeded(20220101));

async function send(topics: KafkaTopics, some: readonly FeedRecord[]): Promise<void> {
  const topicMessages = TOPICS.map((topic) => ({
    topic,
    messages: some.filter((record) => record.topic === topic),
  }));
  await topics.producer.sendBatch({ acks: -1, topicMessages });
}

const money = (cents: number) => (cents / 100).toFixed(2);

describeServer(
  "the reference pipeline's own feed, through four partitions and random keys",
  {
    needs: ["kafka"],
    start: async (use) => {
      const kafka = await use(startKafka());
      const topics = await openTopics(kafka.brokers);
      for (const topic of TOPICS) await topics.create(topic, PARTITIONS);
      // Half of it is there before the program starts, half comes while it runs.
      await send(topics, records.slice(0, records.length / 2));
      const env = { KAFKA_BROKERS: kafka.brokers };
      const { url } = await use(startProgram({ role: "all", pipeline: PIPELINE, env }));
      await send(topics, records.slice(records.length / 2));
      return { topics, url };
    },
  },
  (running) => {
    afterAll(() => running().topics.close());

    const answer = () => ask<Answer>({ url: running().url, query: QUERY });
    const verdictsOf = ({ pipeline }: Answer): Readonly<Record<string, number>> => {
      const sums: Record<string, number> = {};
      for (const { verdictCounts } of pipeline.tables)
        for (const { verdict, count } of verdictCounts) sums[verdict] = (sums[verdict] ?? 0) + Number(count);
      return sums;
    };

    test("keys spread every customer over all partitions", async () => {
      const offsets = await running().topics.admin.fetchTopicOffsets("purchase_trends");
      expect(offsets.filter(({ high }) => Number(high) > 0)).toHaveLength(PARTITIONS);
    });

    test("every record is accounted for, and none was refused", async () => {
      const all = async () =>
        Object.values(verdictsOf(await answer())).reduce((sum, count) => sum + count, 0);
      await expect.poll(all, PATIENCE).toBe(records.length);
      expect((await answer()).pipeline.quarantine).toEqual([]);
    });

    test("totals, tiers and lifetimes are those of the calculation beside it", async () => {
      const { customers } = await answer();
      const served = customers.nodes.map(({ customerId, patterns, metrics, tiers }) => [
        customerId,
        {
          ...metrics,
          mortgage: patterns?.mortgagePurchasedAt !== null,
          latest: patterns?.onlineTransactions,
          tier: tiers.engagement,
        },
      ]);
      const wanted = [...expected].map(([customerId, one]) => [
        customerId,
        {
          onlineTransactions: one.onlineTransactions,
          lifetimeDays: one.lifetimeDays,
          debits: money(one.debits),
          credits: money(one.credits),
          balance: money(one.opening + one.credits - one.debits),
          mortgage: one.mortgage,
          latest: one.onlineTransactions,
          tier: one.tier,
        },
      ]);
      expect(Object.fromEntries(served)).toEqual(Object.fromEntries(wanted));
      expect(new Set([...expected.values()].map(({ tier }) => tier))).toEqual(
        new Set(["LOW", "MEDIUM", "HIGH"]),
      );
    });

    test("states that came late or twice were seen as such", async () => {
      const verdicts = verdictsOf(await answer());
      expect(verdicts["LATE"]).toBeGreaterThan(0);
      expect(verdicts["DUPLICATE"]).toBeGreaterThan(0);
    });
  },
);
