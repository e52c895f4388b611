import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { said, saidUntil } from "./said.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cli-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("the command line", () => {
  test("--version prints the package's version", async () => {
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await said("--version")).toEqual({ code: 0, out: `${manifest.version}\n`, err: "" });
  });

  test.each([[], ["demo"], ["start"], ["ingest"], ["replay"], ["check"], ["doctor"], ["schema"]])(
    "%s --help gives examples and exits with 0",
    async (...command) => {
      const { code, out } = await said(...command.filter((word) => word !== undefined), "--help");
      expect(code).toBe(0);
      expect(out).toContain("Examples:\n  customer360");
    },
  );

  test("an unknown option is refused with a suggestion, and exits with 2", async () => {
    const { code, err } = await said("demo", "--prot", "80");
    expect(code).toBe(2);
    expect(err).toContain("unknown option '--prot'");
    expect(err).toContain("Did you mean --port?");
  });

  test("an unknown command is refused with a suggestion", async () => {
    const { code, err } = await said("dmo");
    expect(code).toBe(2);
    expect(err).toContain("Did you mean demo?");
  });

  test("a number that is none is refused", async () => {
    const { code, err } = await said("demo", "--customers", "many");
    expect(code).toBe(2);
    expect(err).toContain("whole number of at least 1");
  });

  test("settings that cannot be read are a misuse", async () => {
    const { code, err } = await said("demo", "--port", "http", "--data-dir", directory);
    expect(code).toBe(2);
    expect(err).toContain('--port ("http") is not a port number');
  });

  test("start says that it needs a pipeline", async () => {
    const { code, err } = await said("start");
    expect(code).toBe(2);
    expect(err).toContain("--pipeline or PIPELINE");
  });

  test("an address beyond loopback is refused before anything is made", async () => {
    const { code, err } = await said("demo", "--host", "0.0.0.0", "--data-dir", join(directory, "new"));
    expect(code).toBe(1);
    expect(err).toContain("NOT_LOOPBACK");
    expect(err).toContain("--insecure");
  });

  test("a busy port is an error that says so", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await said("demo", "--port", String(port), "--data-dir", join(directory, "new"));
    other.close();
    expect(code).toBe(1);
    expect(err).toContain("PORT_IN_USE");
    expect(err).toContain(String(port));
    expect(existsSync(join(directory, "new"))).toBe(false);
  });

  test.each(["store.db", "demo-bank.json"])(
    "a %s that is a folder is said in words, and is not removed by --fresh",
    async (name) => {
      mkdirSync(join(directory, name));
      const args = ["--port", "0", "--data-dir", directory, "--fresh"];
      for (let times = 0; times < 2; times += 1) {
        const { code, err } = await said("demo", ...args);
        expect(code).toBe(1);
        expect(err).toContain(`error STORE_UNAVAILABLE: ${join(directory, name)} cannot be removed: `);
        expect(err).not.toContain("    at ");
      }
    },
  );
});

test("a demo that is stopped says where its data are", async () => {
  const store = join(directory, "bank");
  const args = ["demo", "--port", "0", "--customers", "2", "--data-dir", store];
  const { code, out } = await saidUntil("Ctrl-C", args);
  expect(code).toBe(0);
  expect(out.endsWith(`\nstopped; the data are in ${store}\n`)).toBe(true);
});

describe("schema and check", () => {
  test("schema prints the committed schema of the banking pipeline", async () => {
    const { code, out } = await said("schema");
    expect(code).toBe(0);
    expect(out).toBe(readFileSync("test/schema.graphql", "utf8"));
  });

  test("schema --json prints a JSON Schema that names every part of the file", async () => {
    const { out } = await said("schema", "--json");
    const schema = JSON.parse(out) as { properties: Record<string, unknown> };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["tables", "metrics", "segments", "offers", "settings"]),
    );
  });

  test("check describes a valid file", async () => {
    const { code, out } = await said("check", "--pipeline", "pipelines/banking.yaml");
    expect(code).toBe(0);
    expect(out).toContain("valid: 5 tables");
  });

  test("check lists the faults of a file with their places, and exits with 1", async () => {
    const file = join(directory, "broken.yaml");
    writeFileSync(file, "name: x\ntabels: {}\n");
    const { code, err } = await said("check", "--pipeline", file);
    expect(code).toBe(1);
    expect(err).toContain("PIPELINE_INVALID");
    expect(err).toMatch(/broken\.yaml:2:1/);
  });

  test("a file that is not there is a fault of the command line's world, in one line", async () => {
    const { code, err } = await said("check", "--pipeline", join(directory, "none.yaml"));
    expect(code).toBe(1);
    expect(err).toContain("cannot be read");
    expect(err).not.toContain("    at ");
  });
});

describe("ingest", () => {
  const patterns = (customer: number, tickets: number, updated: number) =>
    JSON.stringify({
      payload: {
        before: null,
        after: {
          customer_id: String(customer),
          number_of_concert_tickets: tickets,
          datetime_updated: updated,
        },
        op: "i",
      },
    });

  test("it applies the files once, says what became of their records, and finds nothing new the second time", async () => {
    const data = join(directory, "records");
    const store = join(directory, "store");
    mkdirSync(data);
    const lines = [patterns(1, 5, 1_700_000_000_000), patterns(1, 4, 1_600_000_000_000), "not json"];
    writeFileSync(join(data, "patterns.ndjson"), lines.map((line) => `${line}\n`).join(""));
    const command = ["ingest", "--pipeline", "pipelines/banking.yaml", "--data", data, "--data-dir", store];
    const first = await said(...command, "--json");
    expect(first.err).toBe("file patterns.ndjson: neither a captured record nor a JSON object (1 record)\n");
    expect(first.code).toBe(0);
    expect(JSON.parse(first.out)).toEqual(
      expect.arrayContaining([
        { table: "patterns", outcome: "applied", count: 1 },
        { table: "patterns", outcome: "late", count: 1 },
        expect.objectContaining({ outcome: "quarantined unreadable", count: 1 }),
      ]),
    );
    const second = await said(...command);
    expect(second).toEqual({ code: 0, out: "nothing new: every record was applied before\n", err: "" });
    const third = await said(...command, "--json");
    expect(third).toEqual({
      code: 0,
      out: "[]\n",
      err: "nothing new: every record was applied before\n",
    });
  });
});

const INSURER = `name: ins
tables:
  policies:
    topics: [ins.public.policies]
    key: [id]
    customer: customer_id
    rows: many
    sequenceBy: [version]
    columns:
      id: { type: bigint }
      customer_id: { type: text }
      version: { type: int }
      premium: { type: decimal, scale: 2 }
    expect:
      premium_is_positive: { that: row.premium > 0.0, else: drop }
`;

/** A change of a policy as a bare line. */
const policy = (id: number, premium: string): string =>
  `${JSON.stringify({ op: "u", before: null, after: { id, customer_id: "c1", version: id, premium } })}\n`;

describe("files of records", () => {
  let pipeline: string;
  let data: string;
  let store: string;
  beforeEach(() => {
    pipeline = join(directory, "ins.yaml");
    data = join(directory, "records");
    store = join(directory, "store");
    mkdirSync(data);
    writeFileSync(pipeline, INSURER);
  });
  const ingest = (...args: string[]) =>
    said("ingest", pipeline, "--data", data, "--data-dir", store, ...args);

  test("a file may be named after a topic", async () => {
    writeFileSync(join(data, "ins.public.policies.ndjson"), policy(1, "5.00"));
    expect(await ingest()).toEqual({ code: 0, out: "policies  1  applied\n", err: "" });
  });

  test("ingest names the files that are named after nothing", async () => {
    writeFileSync(join(data, "policy.ndjson"), policy(1, "5.00") + policy(2, "5.00"));
    const { code, out } = await ingest();
    expect(code).toBe(0);
    expect(out).toBe(
      "(no table)  2  quarantined unreadable\n" +
        "file policy.ndjson is named after no table or topic; tables are policies (ins.public.policies) (2 records)\n",
    );
  });

  test("ingest of a folder without record files says what it looked for", async () => {
    writeFileSync(join(data, "policies.csv"), "1,2\n");
    const { code, out } = await ingest();
    expect(code).toBe(0);
    expect(out).toBe(`no files of records in ${data}: looked for .json, .ndjson, .jsonl and .gz of these\n`);
  });

  test.each(["ingest", "start", "check"])(
    "%s refuses a folder that is not there, by its full path",
    async (command) => {
      const option = command === "start" ? "--records" : "--data";
      const nowhere = join(directory, "nope");
      const at = command === "check" ? [] : ["--data-dir", store];
      const { code, err } = await said(command, pipeline, option, nowhere, ...at);
      expect(code).toBe(2);
      expect(err).toContain(`SETTINGS_INVALID: the folder of records ${nowhere} does not exist`);
      const file = await said(command, pipeline, option, pipeline, ...at);
      expect(file.code).toBe(2);
      expect(file.err).toContain("is no folder");
    },
  );

  test("check tells in words what is wrong with a sample: names, JSON, rules, columns", async () => {
    writeFileSync(join(data, "policy.ndjson"), policy(1, "5.00"));
    writeFileSync(join(data, "policies.ndjson"), `${policy(1, "5.00")}not json\n${policy(2, "-1.00")}`);
    const { code, out } = await said("check", pipeline, "--data", data);
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual([
      "warning: file policies.ndjson: neither a captured record nor a JSON object (1 record)",
      "warning: file policy.ndjson is named after no table or topic; tables are policies (ins.public.policies) (1 record)",
      'warning: policies: 1 of 2 changes violates the rule "premium_is_positive" and would be left out',
      "4 records looked at, 3 warnings",
      "",
    ]);
  });

  test("check names the column a warning is about, and counts one as one", async () => {
    const row = { id: 1, customer_id: "c1", version: 1 };
    writeFileSync(
      join(data, "policies.ndjson"),
      JSON.stringify({ op: "u", after: { ...row, premium: "1" } }),
    );
    writeFileSync(pipeline, `${INSURER.replace(/ {4}expect[^]*/, "")}      extra: { type: text }\n`);
    const { out } = await said("check", pipeline, "--data", data);
    expect(out.split("\n").slice(1)).toEqual([
      "warning: policies.extra: it is declared, and no record carries it",
      "1 record looked at, 1 warning",
      "",
    ]);
  });
});

describe("the sample of the banking pipeline", () => {
  const sample = ["pipelines/banking.yaml", "--data", "pipelines/banking-sample"];

  test("has records of every table, and check finds what is wrong with it, and nothing else", async () => {
    const { code, out } = await said("check", ...sample);
    expect(code).toBe(0);
    const schema =
      "the embedded schema says io.debezium.time.MicroTimestamp (us), the pipeline says ms; the pipeline counts";
    const ahead = "1 value lies ahead of its own record, by up to 398 days";
    expect(out.split("\n").slice(1)).toEqual([
      `warning: patterns.datetime_created: ${ahead}`,
      `warning: patterns.datetime_created: ${schema}`,
      `warning: patterns.datetime_updated: ${ahead}. It orders the rows, so a value from the future keeps true ones out until it is reached`,
      `warning: patterns.datetime_updated: ${schema}`,
      "21 records looked at, 4 warnings",
      "",
    ]);
  });

  test("can be applied as it is", async () => {
    const { code, out } = await said("ingest", ...sample, "--data-dir", join(directory, "data"));
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(5);
    expect(out).not.toMatch(/quarantine|dropped|late|duplicate/);
  });
});

test("bench --help says what it does without --only, and promises nothing that only a clone has", async () => {
  const { out } = await said("bench", "--help");
  expect(out).toContain("(default: all)");
  expect(out).not.toMatch(/\[engine\]|Arguments:/);
  expect(out).toContain("npm run bench -- engine");
  const { code, err } = await said("bench", "engine");
  expect(code).toBe(2);
  expect(err).toContain("from a clone of the repository: npm run bench -- engine");
});

test("start says when nothing names a source of records", async () => {
  const at = ["--host", "0.0.0.0", "--data-dir", join(directory, "data")];
  const { err } = await said("start", "pipelines/banking.yaml", ...at);
  expect(err).toMatch(/"source":"none","store":"embedded","updates":"embedded"/);
  expect(err).toContain("no records are read: give RECORDS_DIR (--records) or KAFKA_BROKERS");
  const records = await said("start", "pipelines/banking.yaml", "--records", directory, ...at);
  expect(records.err).toContain("NOT_LOOPBACK");
  expect(records.err).not.toContain("no records are read");
});

describe("the pipeline file on the command line", () => {
  const BANK = "pipelines/banking.yaml";

  test("it may be an argument or an option", async () => {
    const { code, out } = await said("check", BANK);
    expect(code).toBe(0);
    expect(await said("check", "--pipeline", BANK)).toEqual({ code, out, err: "" });
    expect((await said("schema", BANK)).out).toBe((await said("schema")).out);
  });

  test.each(["check", "start", "doctor", "replay"])(
    "%s refuses none, and two that differ",
    async (command) => {
      const none = await said(command);
      expect(none.code).toBe(2);
      expect(none.err).toContain("--pipeline or PIPELINE");
      const two = await said(command, BANK, "--pipeline", "other.yaml");
      expect(two.code).toBe(2);
      expect(two.err).toContain("two pipeline files");
    },
  );

  test("the command that the banking pipeline proposes is one", async () => {
    const proposed = /^# Try it: customer360 (.+)$/m.exec(readFileSync(BANK, "utf8"))?.[1] ?? "";
    expect((await said(...proposed.split(" "))).code).toBe(0);
  });
});
