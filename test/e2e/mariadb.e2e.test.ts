import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startConnect } from "../servers/connect.ts";
import { mariadbConnector } from "../servers/connectors.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startKafka } from "../servers/kafka.ts";
import { startMariadb } from "../servers/mariadb.ts";
import { startMongo } from "../servers/mongo.ts";
import { startProgram } from "../servers/program.ts";
import { startRedis } from "../servers/redis.ts";
import { ask, watchWebSocket, type Watcher } from "./watching.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };
const PIPELINE = join(import.meta.dirname, "mariadb.yaml");
const FIELDS =
  "customerId customers { fullName } accounts(first: 9) { nodes { databaseId } } metrics { deposits }";
const WATCH = `subscription { customersUpdates(mode: EVERY) { __typename
  ... on CustomerChange { revision customer { ${FIELDS} } } } }`;

interface SeenCustomer {
  readonly customerId: string;
  readonly customers: { readonly fullName: string } | null;
  readonly accounts: { readonly nodes: readonly { readonly databaseId: string }[] };
  readonly metrics: { readonly deposits: string };
}

describeServer(
  "a bank on MariaDB",
  {
    needs: ["kafka", "mariadb", "debezium-mariadb", "mongo", "redis"],
    start: async (use) => {
      const [kafka, mongo, redis, mariadb] = await Promise.all([
        use(startKafka()),
        use(startMongo()),
        use(startRedis()),
        use(startMariadb()),
      ]);
      await mariadb.sql(`
        create table customers (id bigint primary key, full_name varchar(80) not null);
        create table accounts (id bigint primary key, customer_id bigint not null, balance decimal(14, 2) not null);
        insert into customers values (1, 'Ada'), (2, 'Grace');
        insert into accounts values (10, 1, 1200.50), (20, 2, 7)`);
      const connector = mariadbConnector(mariadb, { prefix: "my", tables: "bank.*", partitions: 2 });
      const bank = { ...connector, "decimal.handling.mode": "string" };
      await use(startConnect({ kafka, plugins: ["debezium-mariadb"], connectors: { bank } }));
      const env = {
        KAFKA_BROKERS: kafka.brokers,
        MONGODB_URI: `${mongo.uri}bank`,
        REDIS_URL: redis.url,
        CURSOR_SECRET: "the same secret for both of the two",
      };
      const [, api] = await Promise.all([
        use(startProgram({ role: "ingest", pipeline: PIPELINE, env })),
        use(startProgram({ role: "api", pipeline: PIPELINE, env })),
      ]);
      return { mariadb, api };
    },
  },
  (running) => {
    let watcher: Watcher | null = null;
    afterAll(() => watcher?.stop());
    const seen = (id: string): SeenCustomer | undefined =>
      (watcher?.frames ?? [])
        .flatMap((frame) =>
          frame.__typename === "CustomerChange" ? [frame["customer"] as SeenCustomer] : [],
        )
        .findLast(({ customerId }) => customerId === id);

    test("the rows of the snapshot are served", async () => {
      const { url } = running().api;
      const deposits = () =>
        ask<{ customers: { nodes: readonly SeenCustomer[] } }>({
          url,
          query: `{ customers(first: 9) { nodes { ${FIELDS} } } }`,
        }).then(({ customers }) => customers.nodes.map(({ metrics }) => metrics.deposits));
      await expect.poll(deposits, PATIENCE).toEqual(["1200.50", "7.00"]);
      watcher = watchWebSocket({ url, query: WATCH });
      await expect.poll(() => watcher?.frames.length, PATIENCE).toBeGreaterThan(0);
    });

    test("updates of one row in one transaction end in the last of them", async () => {
      await running().mariadb.sql(
        "begin; update accounts set balance = 5 where id = 10; update accounts set balance = balance + 4 where id = 10; commit",
      );
      await expect.poll(() => seen("1")?.metrics.deposits, PATIENCE).toBe("9.00");
    });

    test("a changed primary key, a moved row and a DELETE do what they say, across a new log file", async () => {
      const { mariadb } = running();
      await mariadb.sql("flush binary logs; update accounts set id = 21 where id = 20");
      const numbers = (id: string) => seen(id)?.accounts.nodes.map(({ databaseId }) => databaseId);
      await expect.poll(() => numbers("2"), PATIENCE).toEqual(["21"]);
      await mariadb.sql("update accounts set customer_id = 1 where id = 21");
      await expect.poll(() => seen("1")?.metrics.deposits, PATIENCE).toBe("16.00");
      await expect.poll(() => numbers("2"), PATIENCE).toEqual([]);
      await mariadb.sql("delete from accounts where id = 10");
      await expect.poll(() => numbers("1"), PATIENCE).toEqual(["21"]);
      await mariadb.sql("update customers set full_name = 'Ada Lovelace' where id = 1");
      await expect.poll(() => seen("1")?.customers?.fullName, PATIENCE).toBe("Ada Lovelace");
    });

    test("nothing was put aside", async () => {
      const { pipeline } = await ask<{ pipeline: { quarantine: readonly unknown[] } }>({
        url: running().api.url,
        query: "{ pipeline { quarantine { code count } } }",
      });
      expect(pipeline.quarantine).toEqual([]);
    });
  },
);
