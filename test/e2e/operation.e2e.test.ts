import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { BANKING } from "../../src/cli/options.ts";
import { run } from "../../src/cli/program.ts";
import { tellRedis } from "../helpers/redis.ts";
import { describeServer, needsOurOwn } from "../servers/describe-server.ts";
import { temporaryFolder } from "../servers/folders.ts";
import { startMongo } from "../servers/mongo.ts";
import { startRedis } from "../servers/redis.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "a-secret-that-signs-cursors-of-tests";

const change = (customer: string, tickets: number) =>
  `${JSON.stringify({
    payload: {
      before: null,
      after: {
        customer_id: customer,
        number_of_concert_tickets: tickets,
        datetime_updated: 1_700_000_000_000 + tickets,
      },
      op: "i",
    },
  })}\n`;

/** A folder with records, and a data directory beside it. */
function folders(lines = change("7", 1)): { records: string; data: string; write(text: string): void } {
  const folder = temporaryFolder("operation");
  const records = join(folder, "records");
  mkdirSync(records);
  let files = 0;
  const write = (text: string) => writeFileSync(join(records, `patterns-${(files += 1)}.ndjson`), text);
  write(lines);
  return { records, data: join(folder, "data"), write };
}

/** The bank's pipeline with one rule more, that ends ingest. */
function strict(): string {
  const file = join(temporaryFolder("pipeline"), "strict.yaml");
  const rule = '    expect: { few: { that: "row.number_of_concert_tickets < 100", else: fail } }\n';
  writeFileSync(
    file,
    readFileSync(BANKING, "utf8").replace("    ops: { i: insert }\n", (ops) => ops + rule),
  );
  return file;
}

interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly warnings?: readonly string[];
}

async function readiness(url: string): Promise<Readiness | null> {
  const answer = await fetch(`${url}/readyz`).catch(() => null);
  return answer === null ? null : ((await answer.json()) as Readiness);
}

async function ask(url: string, query: string): Promise<string> {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  return answer.text();
}

const TICKETS = `{ customer(customerId: "7") { patterns { concertTickets } } }`;
const WATCH = `subscription { customerUpdates(customerId: "7") { __typename ... on CustomerChange { revision } } }`;

/** Opens a subscription as an event stream; answers what came so far. */
async function subscribe(url: string, signal: AbortSignal): Promise<() => string> {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: WATCH }),
    signal,
  });
  let text = "";
  void (async () => {
    for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString();
  })().catch(() => {});
  return () => text;
}

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  vi.unstubAllEnvs();
});

/** `customer360 start` as a process of its own; SIGUSR2 makes it meet a failure that nobody catches. */
async function started(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const planted = "process.on('SIGUSR2', () => { setTimeout(() => { throw new TypeError('planted'); }); });";
  const preload = `data:text/javascript,${encodeURIComponent(planted)}`;
  const child = spawn(
    process.execPath,
    ["--import", preload, join(ROOT, "dist/main.js"), "start", "--port", "0", ...args],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "", PIPELINE: BANKING, CURSOR_SECRET: SECRET, ...env },
    },
  );
  children.add(child);
  let err = "";
  child.stderr?.on("data", (piece: Buffer) => (err += piece.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await expect.poll(() => err, { timeout: 60_000 }).toMatch(/serving http/);
  const url = /serving (http:\/\/[^/]+)/.exec(err)?.[1] ?? "";
  return { url, exited, err: () => err, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

type Started = Awaited<ReturnType<typeof started>>;

/** Every line is JSON; answers them. */
function logged({ err }: Started): readonly Record<string, unknown>[] {
  return err()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { cwd: ROOT, stdio: "pipe" });
}, 240_000);

describe("a process of its own", () => {
  test("a failure that nobody caught is logged, drains the process and ends it with 1", async () => {
    const { records, data } = folders();
    const it = await started(["--records", records, "--data-dir", data]);
    await expect.poll(() => ask(it.url, TICKETS), { timeout: 20_000 }).toContain(":1}");
    const frames = await subscribe(it.url, new AbortController().signal);
    await expect.poll(frames).toContain("Snapshot");
    it.kill("SIGUSR2");
    expect(await it.exited).toBe(1);
    expect(frames()).toContain('"Ended"');
    const crash = logged(it).filter(({ level }) => level === "error");
    expect(crash[0]).toMatchObject({
      message: "a failure that nobody caught: the process stops",
      error: "TypeError: planted",
      role: "all",
    });
    expect(crash.at(-1)).toMatchObject({ message: "the process ends" });
  });

  test("what ends ingest ends the process with 1 and its code", async () => {
    const { records, data, write } = folders();
    const it = await started(["--records", records, "--data-dir", data], { PIPELINE: strict() });
    await expect.poll(() => ask(it.url, TICKETS), { timeout: 20_000 }).toContain(":1}");
    write(change("7", 100));
    expect(await it.exited).toBe(1);
    expect(String(logged(it).at(-1)?.["error"])).toMatch(/^EXPECTATION_FAILED: table patterns: few violated/);
  });
});

describeServer(
  "the roles",
  {
    needs: ["redis", "mongo"],
    start: async (use) => ({ redis: await use(startRedis()), mongo: await use(startMongo()) }),
  },
  (servers) => {
    const env = (database: string) => ({
      MONGODB_URI: `${servers().mongo.uri}${database}`,
      REDIS_URL: servers().redis.url,
    });

    test("each ends in good order within its deadline, streams with a place to go on from", async () => {
      const { records, write } = folders();
      const shared = env("stopping");
      const ingest = await started(["--role", "ingest", "--records", records], shared);
      const api = await started(["--role", "api"], shared);
      await expect.poll(() => ask(api.url, TICKETS), { timeout: 20_000 }).toContain(":1}");
      const frames = await subscribe(api.url, new AbortController().signal);
      await expect.poll(frames).toContain("Snapshot");
      write(change("7", 2));
      await expect.poll(frames, { timeout: 20_000 }).toContain("CustomerChange");
      expect(await (await fetch(`${ingest.url}/metrics`)).text()).toMatch(/updates_read_total 0\n/);
      expect(await (await fetch(`${api.url}/metrics`)).text()).toMatch(/subscriptions 1\n/);
      for (const it of [ingest, api]) {
        const begun = Date.now();
        it.kill("SIGTERM");
        expect(await it.exited).toBe(0);
        expect(Date.now() - begun).toBeLessThan(10_000);
        expect(logged(it).filter(({ level }) => level === "error")).toEqual([]);
      }
      expect(frames()).toContain('"Ended"');
    });

    test("without Redis the API answers and warns; once it is there subscriptions begin by themselves", async (context) => {
      const { redis } = servers();
      needsOurOwn(context, redis);
      const { records, data, write } = folders();
      await redis.kill();
      // Another database: the customer's revisions of the test before are not to be taken for these.
      vi.stubEnv("REDIS_URL", `${redis.url}/1`);
      vi.stubEnv("RECORDS_DIR", records);
      vi.stubEnv("CURSOR_SECRET", SECRET);
      vi.stubEnv("LOG_FORMAT", "line");
      const stop = new AbortController();
      let err = "";
      const terminal = {
        ...{ interactive: false, color: false, out: () => {} },
        err: (text: string) => void (err += text),
      };
      const code = run(["start", BANKING, "--port", "0", "--data-dir", data], terminal, stop.signal);
      await expect.poll(() => err, { timeout: 20_000 }).toMatch(/serving http/);
      const url = /serving (http:\/\/[^/]+)/.exec(err)?.[1] ?? "";

      await expect.poll(() => ask(url, TICKETS), { timeout: 20_000 }).toContain(":1}");
      await expect
        .poll(async () => (await readiness(url))?.warnings)
        .toEqual(["not connected to the update stream: subscriptions are stale"]);
      expect((await readiness(url))?.ready).toBe(true);
      const refused = await subscribe(url, stop.signal);
      await expect
        .poll(refused, { timeout: 10_000 })
        .toContain('"code":"UPDATES_UNAVAILABLE","retryable":true');

      await redis.restart();
      await expect.poll(() => readiness(url), { timeout: 20_000 }).toEqual({ ready: true, reasons: [] });
      await expect.poll(() => err).toContain("subscriptions begin\n");
      const frames = await subscribe(url, stop.signal);
      await expect.poll(frames, { timeout: 20_000 }).toContain("Snapshot");
      write(change("7", 5));
      await expect.poll(frames, { timeout: 20_000 }).toContain("CustomerChange");
      stop.abort();
      expect(await code).toBe(0);
    });

    test("a Redis that throws keys away ends the start, as a fault of the settings", async (context) => {
      const { redis } = servers();
      needsOurOwn(context, redis);
      await tellRedis(redis.url, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
      const { records, data } = folders();
      vi.stubEnv("REDIS_URL", redis.url);
      let err = "";
      const terminal = {
        ...{ interactive: true, color: false, out: () => {} },
        err: (text: string) => void (err += text),
      };
      const args = ["start", BANKING, "--port", "0", "--data-dir", data, "--records", records];
      expect(await run(args, terminal, new AbortController().signal)).toBe(2);
      expect(err).toContain("maxmemory-policy");
      await tellRedis(redis.url, "CONFIG", "SET", "maxmemory-policy", "noeviction");
    });

    test("without the store nothing is ready, and an API with another pipeline file says so", async (context) => {
      const { mongo } = servers();
      if (!mongo.ours) context.skip("the environment names the server: it must not be frozen");
      const { records } = folders();
      const shared = env("strange");
      const ingest = await started(["--role", "ingest", "--records", records], shared);
      await expect.poll(async () => (await readiness(ingest.url))?.ready, { timeout: 20_000 }).toBe(true);
      const api = await started(["--role", "api"], shared);
      await expect.poll(() => ask(api.url, TICKETS), { timeout: 20_000 }).toContain(":1}");
      expect(await readiness(api.url)).toEqual({ ready: true, reasons: [] });
      const stranger = await started(["--role", "api"], { ...shared, PIPELINE: strict() });
      await expect
        .poll(async () => (await readiness(stranger.url))?.warnings?.join(), { timeout: 20_000 })
        .toContain("another pipeline file");
      mongo.freeze();
      try {
        for (const { url } of [api, ingest])
          await expect
            .poll(async () => (await readiness(url))?.reasons, { timeout: 30_000 })
            .toEqual(["not connected to the store"]);
      } finally {
        mongo.thaw();
      }
      await expect.poll(async () => (await readiness(api.url))?.ready, { timeout: 30_000 }).toBe(true);
    });
  },
);

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});
