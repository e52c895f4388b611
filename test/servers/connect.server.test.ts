import { expect, test } from "vitest";
import { startConnect } from "./connect.ts";
import { mariadbConnector, postgresConnector } from "./connectors.ts";
import { describeServer } from "./describe-server.ts";
import { startKafka } from "./kafka.ts";
import { startMariadb } from "./mariadb.ts";
import { startPostgres } from "./postgres.ts";
import { readTopics, type TopicRecord } from "./topic-reader.ts";

interface Envelope {
  readonly op: string;
  readonly after: { readonly id: number; readonly name: string | null } | null;
}

/** Operation and row of each change, without tombstones. */
function changes(records: readonly TopicRecord[]): readonly string[] {
  return records
    .flatMap(({ value }) => (value === null ? [] : [JSON.parse(value) as Envelope]))
    .map(({ op, after }) => `${op} ${after?.id} ${after?.name}`);
}

const PATIENCE = { timeout: 30_000 };
const TABLE = "create table customers (id int primary key, name varchar(20) default 'nobody')";

describeServer(
  "Connect",
  {
    needs: ["kafka", "postgres", "debezium-postgres", "mariadb", "debezium-mariadb"],
    start: async (use) => {
      const kafka = await use(startKafka());
      const postgres = await use(startPostgres());
      await postgres.sql(`${TABLE}; insert into customers values (1, 'Ada'), (2, null)`);
      const mariadb = await use(startMariadb());
      await mariadb.sql(`${TABLE}; insert into customers values (1, 'Ada')`);
      const connect = await use(
        startConnect({
          kafka,
          plugins: ["debezium-postgres", "debezium-mariadb"],
          connectors: {
            pg: postgresConnector(postgres, { prefix: "pg", tables: "public.customers" }),
            my: mariadbConnector(mariadb, { prefix: "my", tables: "bank.customers" }),
          },
        }),
      );
      return { kafka, postgres, mariadb, connect };
    },
  },
  (running) => {
    test("rows of PostgreSQL and changes after them arrive; a worker that was killed misses nothing", async () => {
      const { kafka, postgres, connect } = running();
      expect(await connect.states("pg")).toEqual(["RUNNING", "RUNNING"]);
      const reader = await readTopics(kafka.brokers, ["pg.public.customers"]);
      await postgres.sql("update customers set name = 'Grace' where id = 2");
      const before = ["r 1 Ada", "r 2 null", "u 2 Grace"];
      await expect.poll(() => changes(reader.records), PATIENCE).toEqual(before);
      await connect.kill();
      await postgres.sql("insert into customers values (3, 'Edsger')");
      await connect.restart();
      await expect.poll(() => changes(reader.records), PATIENCE).toContain("c 3 Edsger");
      await reader.stop();
    });

    test("rows of MariaDB and changes after them arrive", async () => {
      const { kafka, mariadb } = running();
      const reader = await readTopics(kafka.brokers, ["my.bank.customers"]);
      await mariadb.sql("update customers set name = null where id = 1");
      // The worker was killed in the test before: what it had not noted as sent, it sends again.
      const different = () => [...new Set(changes(reader.records))];
      await expect.poll(different, PATIENCE).toEqual(["r 1 Ada", "u 1 null"]);
      await reader.stop();
    });

    test("a start that fails says why", async () => {
      const connector = { "connector.class": "io.debezium.connector.postgresql.PostgresConnector" };
      const { kafka } = running();
      const starting = startConnect({
        kafka,
        connectors: { broken: connector },
        plugins: ["debezium-postgres"],
      });
      await expect(starting).rejects.toThrow("'database.hostname' value is invalid");
    });
  },
);
