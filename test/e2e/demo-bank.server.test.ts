import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findProgram } from "../servers/binaries.ts";
import { describeServer } from "../servers/describe-server.ts";
import { startPostgres } from "../servers/postgres.ts";
import { readCompose, ROOT } from "../house/compose-file.ts";

const bank = join(ROOT, "deploy/bank");

describeServer(
  "the demo bank of docker-compose.yml",
  { needs: ["postgres"], start: (use) => use(startPostgres()) },
  (postgres) => {
    test("its scripts make a thousand customers, each with two accounts that can be told from others", async () => {
      for (const script of ["1-schema", "2-card-transactions", "3-people"])
        await postgres().sql(readFileSync(join(bank, `${script}.sql`), "utf8"));
      expect(
        await postgres().sql(
          "select (select count(*) from customers), count(*), count(distinct iban), count(distinct customer_id) from accounts",
        ),
      ).toBe("1000|2000|2000|1000");
      expect(await postgres().sql("select count(*) from customers where email not like '%@%'")).toBe("0");
    });

    test("its writer makes moves of every kind", async () => {
      const before = await postgres().sql("select sum(balance) from accounts");
      const [program = "", ...args] = readCompose().services["writer"]?.command ?? [];
      const pgbench = findProgram("postgres", program);
      const { host, port, user, password, database } = postgres();
      const given = args.map((arg) => {
        if (arg.startsWith("--file=")) return `--file=${join(bank, "writes.sql")}`;
        if (arg.startsWith("--time=")) return "--transactions=600";
        return arg.startsWith("--rate=") ? "--rate=2000" : arg;
      });
      await promisify(execFile)(pgbench?.path ?? program, given, {
        env: {
          ...process.env,
          ...pgbench?.env,
          PGHOST: host,
          PGPORT: String(port),
          PGUSER: user,
          PGPASSWORD: password,
          PGDATABASE: database,
        },
      });
      const [payments = "", newest = "", customers = ""] = (
        await postgres().sql(
          "select count(*), max(id), count(distinct customer_id) from card_transactions where amount > 0 and account_id = customer_id * 10",
        )
      ).split("|");
      expect(Number(newest)).toBeGreaterThan(200);
      expect(Number(payments)).toBeGreaterThan(200);
      // Some were called off, and many customers have paid.
      expect(Number(payments)).toBeLessThan(Number(newest));
      expect(Number(customers)).toBeGreaterThan(100);
      expect(await postgres().sql("select sum(balance) from accounts")).not.toBe(before);
      expect(await postgres().sql("select count(*) from customers")).toBe("1000");
    });
  },
);
