import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp, type App } from "../src/app.ts";
import { BANKING, readPlan } from "../src/cli/options.ts";
import { silentLog } from "../src/log.ts";
import { METRIC_PREFIX, METRICS, type DeclaredMetric } from "../src/metrics-list.ts";
import { createPrometheus } from "../src/prometheus.ts";

const declared: readonly (readonly [string, DeclaredMetric])[] = Object.entries(METRICS);

describe("the metrics", () => {
  test("each says what a sustained value means", () => {
    expect(declared.filter(([, { help }]) => !/\bsustained\b/i.test(help)).map(([name]) => name)).toEqual([]);
  });

  test("the operations guide lists each with its labels and its help", () => {
    const guide = readFileSync(join(import.meta.dirname, "../docs/OPERATIONS.md"), "utf8");
    const rows = guide.split("\n").map((row) => row.split("|").map((cell) => cell.trim()));
    for (const [name, { kind, labels, help }] of declared) {
      const row = rows.find(([, first]) => first === `\`${name}\``);
      expect(row?.slice(2, 5), name).toEqual([kind, labels.map((label) => `\`${label}\``).join(", "), help]);
    }
  });

  test("what somebody else counts is shown as they count it, by label", async () => {
    const metrics = createPrometheus();
    metrics.total("kafka_sessions_total", 3);
    metrics.total("kafka_sessions_total", 4);
    metrics.set("source_lag", 5, "a");
    metrics.clear("source_lag");
    metrics.set("source_lag", 6, "b");
    const { text } = await metrics.read();
    expect(text).toContain("customer360_kafka_sessions_total 4\n");
    expect(text.match(/^customer360_source_lag.*$/gm)).toEqual(['customer360_source_lag{topic="b"} 6']);
  });

  test("a look that fails takes nothing else from the reader", async () => {
    const metrics = createPrometheus();
    metrics.lookFirst(() => Promise.reject(new Error("away")));
    metrics.lookFirst(() => metrics.set("subscriptions", 2));
    expect((await metrics.read()).text).toContain("customer360_subscriptions 2\n");
  });
});

describe("/metrics", () => {
  let directory: string;
  let app: App | null = null;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "metrics-"));
    mkdirSync(join(directory, "records"));
  });
  afterEach(async () => {
    await app?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test("it shows every metric with its help, what was ingested, and no customer's value", async () => {
    const secret = "4711001";
    const change = { customer_id: secret, number_of_concert_tickets: 5, datetime_updated: 1_700_000_000_000 };
    const file = join(directory, "records", "patterns.ndjson");
    const send = (op: string) => `${JSON.stringify({ payload: { before: null, after: change, op } })}\n`;
    writeFileSync(file, send("i"));
    appendFileSync(file, send("i"));
    appendFileSync(file, "no json\n");
    app = await createApp({
      plan: readPlan(BANKING),
      ...{ dataDir: join(directory, "data"), fresh: false, log: silentLog },
      source: { kind: "files", dir: join(directory, "records"), follow: true },
      serve: { host: "127.0.0.1", port: 0, insecure: false, graphiql: false, cursorSecret: null },
    });
    const url = await app.start();
    const read = async () => (await fetch(`${url}/metrics`)).text();
    await expect.poll(read).toContain('customer360_verdicts_total{table="patterns",verdict="applied"} 1\n');
    const text = await read();
    for (const [name, { kind, help }] of declared) {
      expect(text).toContain(`# HELP ${METRIC_PREFIX}${name} ${help}\n`);
      expect(text).toContain(`# TYPE ${METRIC_PREFIX}${name} ${kind}\n`);
    }
    expect(text).toContain('customer360_verdicts_total{table="patterns",verdict="duplicate"} 1\n');
    expect(text).toContain('code="unreadable"} 1\n');
    expect(text).toContain("customer360_ready 1\n");
    expect(text).toMatch(/customer360_memory_bytes\{kind="resident"\} \d{7,}/);
    expect(text).not.toContain(secret);
    expect((await fetch(`${url}/metrics`)).headers.get("content-type")).toContain("version=0.0.4");
  });
});
