import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BANKING } from "../../src/cli/options.ts";
import { startConnect, type ConnectorConfig } from "../servers/connect.ts";
import { postgresAddress } from "../servers/connectors.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMongo } from "../servers/mongo.ts";
import { startPostgres } from "../servers/postgres.ts";
import { startProgram } from "../servers/program.ts";
import { startRedis } from "../servers/redis.ts";
import { ask, watchSse, watchWebSocket, type SeenFrame, type Watcher } from "./watching.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };
const LONG_NAME = "Ada ".repeat(3_000).trim();
const deployed = (name: string) => readFileSync(join(import.meta.dirname, "../../deploy", name), "utf8");

const FIELDS = `customerId revision customers { fullName city } accounts(first: 20) { nodes { databaseId kind balance } }
  metrics { deposits spendTotal } segments { key tier state } offers(first: 5) { nodes { key state reason } }`;
const WATCH = `subscription ($id: ID!) { customerUpdates(customerId: $id, mode: EVERY) { __typename
  ... on CustomerSnapshot { customers { ${FIELDS} } }
  ... on CustomerChange { revision changed offerTransitions { to offer { key } } customer { ${FIELDS} } } } }`;

interface SeenCustomer {
  readonly customerId: string;
  readonly revision: number;
  readonly customers: { readonly fullName: string; readonly city: string } | null;
  readonly accounts: { readonly nodes: readonly { readonly databaseId: string; readonly balance: string }[] };
  readonly metrics: { readonly deposits: string | null; readonly spendTotal: string | null };
  readonly offers: {
    readonly nodes: readonly { readonly key: string; readonly state: string; readonly reason: string }[];
  };
}

const changesOf = (watcher: Watcher) =>
  watcher.frames.filter(
    (frame): frame is SeenFrame & { revision: number; customer: SeenCustomer } =>
      frame.__typename === "CustomerChange",
  );
/** A customer as a watcher saw it last. */
const lastOf = (watcher: Watcher): SeenCustomer | undefined => changesOf(watcher).at(-1)?.customer;

describeServer(
  "a bank",
  {
    needs: ["kafka", "postgres", "debezium-postgres", "mongo", "redis"],
    start: async (use) => {
      const [kafka, mongo, redis, postgres] = await Promise.all([
        use(startKafka()),
        use(startMongo()),
        use(startRedis()),
        use(startPostgres()),
      ]);
      await postgres.sql(deployed("bank/1-schema.sql"));
      await postgres.sql(`
        insert into customers values (1, '${LONG_NAME}', 'ada@example.org', 'London', '1985-12-10', '2020-01-01 10:00+02');
        insert into customers values (2, 'Grace Hopper', 'grace@example.org', 'New York', null, '2021-01-01 00:00Z');
        insert into accounts values (10, 1, 'current', 'GB33', 1200.50, '2020-01-02'), (20, 2, 'savings', 'US12', 7, '2021-01-02')`);
      const connect = await use(
        startConnect({
          kafka,
          plugins: ["debezium-postgres"],
          connectors: {
            bank: {
              ...(JSON.parse(deployed("connector.json")) as ConnectorConfig),
              ...postgresAddress(postgres),
              "poll.interval.ms": "20",
              "incremental.snapshot.chunk.size": "4",
            },
          },
        }),
      );
      const env = {
        KAFKA_BROKERS: kafka.brokers,
        MONGODB_URI: `${mongo.uri}bank`,
        REDIS_URL: redis.url,
        CURSOR_SECRET: "the same secret for both of the two",
      };
      const ingest = await use(startProgram({ role: "ingest", pipeline: BANKING, env }));
      const apis = await Promise.all([
        use(startProgram({ role: "api", pipeline: BANKING, env })),
        use(startProgram({ role: "api", pipeline: BANKING, env })),
      ]);
      return { postgres, connect, ingest, apis };
    },
  },
  (running) => {
    const watchers: Watcher[] = [];
    const watching = (id: string) => {
      expect(watchers).toHaveLength(6);
      return watchers.filter((_, at) => at % 2 === Number(id) - 1);
    };
    const everybody = async (
      id: string,
      seen: (customer: SeenCustomer | undefined) => unknown,
      is: unknown,
    ) => {
      for (const watcher of watching(id))
        await expect.poll(() => seen(lastOf(watcher)), PATIENCE).toEqual(is);
    };

    test("what was there before anybody watched is served, and can be watched", async () => {
      const [one, two] = running().apis;
      await expect
        .poll(
          () =>
            ask<{ customers: { nodes: readonly SeenCustomer[] } }>({
              url: one.url,
              query: `{ customers(first: 10) { nodes { ${FIELDS} } } }`,
            }).then(({ customers }) => customers.nodes.map(({ metrics }) => metrics.deposits)),
          PATIENCE,
        )
        .toEqual(["1200.50", "7.00"]);
      for (const watch of [
        (id: string) => watchWebSocket({ url: one.url, query: WATCH, variables: { id } }),
        (id: string) => watchWebSocket({ url: two.url, query: WATCH, variables: { id } }),
        (id: string) => watchSse({ url: two.url, query: WATCH, variables: { id } }),
      ])
        watchers.push(watch("1"), watch("2"));
      for (const { frames } of watchers)
        await expect.poll(() => frames[0]?.__typename, PATIENCE).toBe("CustomerSnapshot");
    });

    afterAll(async () => {
      for (const watcher of watchers) await watcher.stop();
    });

    test("an UPDATE reaches the screens of both API processes, with its offer and the reason for it", async () => {
      await running().postgres.sql("update accounts set balance = 250000.25 where id = 10");
      await everybody("1", (customer) => customer?.metrics.deposits, "250000.25");
      const seen = watching("1").map((watcher) => changesOf(watcher).at(-1));
      for (const frame of seen) {
        expect(frame).toEqual(seen[0]);
        expect(frame?.customer.revision).toBe(frame?.revision);
        expect(frame?.customer.offers.nodes).toEqual([
          {
            key: "bigBalance",
            state: "TRIGGERED",
            reason: expect.stringContaining("deposits 250000.25") as string,
          },
        ]);
      }
    });

    test("a column that an UPDATE left alone keeps its value, however large it is", async () => {
      await running().postgres.sql("update customers set city = 'Turin' where id = 1");
      await everybody("1", (customer) => customer?.customers, { fullName: LONG_NAME, city: "Turin" });
    });

    test("a transaction over several tables arrives whole", async () => {
      await running().postgres.sql(`begin;
        update customers set city = 'Arlington' where id = 2;
        insert into accounts values (21, 2, 'current', 'US13', 93, '2022-01-01');
        update accounts set balance = 0.07 where id = 20;
        commit`);
      await everybody("2", (customer) => [customer?.customers?.city, customer?.metrics.deposits], [
        "Arlington",
        "93.07",
      ]);
    });

    test("a changed primary key is the same account under another number", async () => {
      await running().postgres.sql("update accounts set id = 22 where id = 21");
      const accounts = (customer: SeenCustomer | undefined) =>
        customer?.accounts.nodes.map(({ databaseId }) => databaseId).sort();
      await everybody("2", accounts, ["20", "22"]);
      await everybody("2", (customer) => customer?.metrics.deposits, "93.07");
    });

    test("a DELETE takes the row away, and a row that moves leaves its customer", async () => {
      await running().postgres.sql("delete from accounts where id = 22");
      await everybody("2", (customer) => customer?.metrics.deposits, "0.07");
      await running().postgres.sql("update accounts set customer_id = 1 where id = 20");
      await everybody("2", (customer) => customer?.accounts.nodes.length, 0);
      await everybody("1", (customer) => customer?.metrics.deposits, "250000.32");
    });

    test("a table added later is read from its beginning", async () => {
      await running().postgres.sql(deployed("bank/2-card-transactions.sql"));
      await running().postgres.sql(
        `insert into card_transactions select n, 1 + n % 2, 10, n, 'travel', 'rail', true, '2024-05-01 10:00Z'::timestamptz + n * interval '1 day' from generate_series(1, 40) n`,
      );
      await everybody("2", (customer) => customer?.metrics.spendTotal, "400.00");
      await everybody("1", (customer) => customer?.metrics.spendTotal, "420.00");
    });

    test("a snapshot that runs while changes stream brings nothing back and takes nothing away", async () => {
      const { postgres } = running();
      await postgres.sql(
        `insert into debezium_signal values ('again', 'execute-snapshot', '{"type": "incremental", "data-collections": ["public.card_transactions", "public.accounts"]}')`,
      );
      for (let n = 1; n <= 10; n++)
        await postgres.sql(
          `update card_transactions set amount = amount + 100 where id = ${n}; delete from card_transactions where id = ${n + 20}`,
        );
      // 1..40 without 21..30, and 100 more for each of 1..10, half of them with either customer.
      await everybody("1", (customer) => customer?.metrics.spendTotal, "790.00");
      await everybody("2", (customer) => customer?.metrics.spendTotal, "775.00");
    });

    test("a TRUNCATE empties the table for everybody, and what comes after it counts", async () => {
      const { postgres } = running();
      await postgres.sql("truncate card_transactions");
      await everybody("1", (customer) => customer?.metrics.spendTotal, "0.00");
      await everybody("2", (customer) => customer?.metrics.spendTotal, "0.00");
      await postgres.sql(
        "insert into card_transactions values (1, 1, 10, 12.5, 'dining', null, false, '2024-06-01 10:00Z')",
      );
      await everybody("1", (customer) => customer?.metrics.spendTotal, "12.50");
    });

    test("every subscriber saw every revision once and in order, and nobody was told of a gap", () => {
      for (const id of ["1", "2"]) {
        const [first, ...others] = watching(id).map((watcher) =>
          changesOf(watcher).map(({ revision }) => revision),
        );
        const from = first?.[0] ?? 0;
        expect(first).toEqual(first?.map((_, at) => from + at));
        for (const revisions of others) expect(revisions).toEqual(first);
        for (const { frames, failure } of watching(id)) {
          expect(frames.map(({ __typename }) => __typename)).not.toContain("Gap");
          expect(failure()).toBeNull();
        }
      }
    });

    test("nothing was put aside", async () => {
      const { pipeline } = await ask<{ pipeline: { quarantine: readonly unknown[] } }>({
        url: running().apis[0].url,
        query: "{ pipeline { quarantine { code count } } }",
      });
      expect(pipeline.quarantine).toEqual([]);
    });
  },
);
