import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp, type App } from "../../src/app.ts";
import { BANKING, readPlan } from "../../src/cli/options.ts";
import { run } from "../../src/cli/program.ts";
import { codeOf } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { manualClock, settle } from "../helpers/manual-clock.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "demo-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A demo running in this process, as a user starts it. */
function demo(...options: string[]) {
  const stop = new AbortController();
  const said = { out: "", err: "", errBefore: "" };
  let greeted = (): void => {};
  const greeting = new Promise<void>((resolve) => (greeted = resolve));
  const terminal = {
    out: (text: string) => {
      if (said.out === "") said.errBefore = said.err;
      said.out += text;
      greeted();
    },
    err: (text: string) => void (said.err += text),
    interactive: false,
    color: false,
  };
  const args = ["demo", "--port", "0", "--data-dir", directory, "--customers", "20", ...options];
  const code = run(args, terminal, stop.signal);
  return { code, said, greeting, stop: () => stop.abort() };
}

/** What the greeting says to paste: address and GraphQL document of each curl command. */
function pasted(out: string): readonly { readonly url: string; readonly body: string }[] {
  return [...out.matchAll(/curl .*?(http:\S+) .*-d '(.*)'$/gm)].map(([, url = "", body = ""]) => ({
    url,
    body,
  }));
}

describe("the demo", () => {
  test("it greets with a query that answers and a subscription that ticks, and stops with 0", async () => {
    const running = demo();
    await running.greeting;
    const [ask, watch] = pasted(running.said.out);
    const headers = { "content-type": "application/json" };
    await expect
      .poll(async () => {
        const answer = await fetch(ask?.url ?? "", { method: "POST", headers, body: ask?.body ?? "" });
        return JSON.stringify(await answer.json());
      })
      .toMatch(/"fullName":"\S+ .+"spendTotal":"\d+\.\d\d"/);

    const stream = await fetch(watch?.url ?? "", {
      method: "POST",
      headers: { ...headers, accept: "text/event-stream" },
      body: watch?.body ?? "",
    });
    let frames = "";
    for await (const piece of stream.body ?? []) {
      frames += Buffer.from(piece).toString();
      if (frames.includes("CustomerChange")) running.stop();
    }
    expect(frames).toContain('"__typename":"Ended"');
    expect(frames).toMatch(/event: complete/);
    expect(await running.code).toBe(0);
    expect(running.said.errBefore).toBe("");
    expect(running.said.err).toContain("no authentication");
  });

  test("a second process on the same data is refused, and the first goes on", async () => {
    const first = demo();
    await first.greeting;
    const second = demo();
    expect(await second.code).toBe(1);
    expect(second.said.err).toContain("DATA_DIR_IN_USE");
    first.stop();
    expect(await first.code).toBe(0);
  });

  test("another seed on the same data is refused with what to do", async () => {
    const first = demo();
    await first.greeting;
    await expect.poll(() => first.said.err).toContain("living");
    first.stop();
    await first.code;
    const other = demo("--seed", "9");
    expect(await other.code).toBe(2);
    expect(other.said.err).toContain("--fresh starts over");
    const fresh = demo("--seed", "9", "--fresh");
    await fresh.greeting;
    fresh.stop();
    expect(await fresh.code).toBe(0);
  });
});

describe("a restart", () => {
  const clock = manualClock(Date.UTC(2026, 5, 1));

  async function live(dataDir: string, seconds: readonly number[]) {
    const options = {
      plan: readPlan(BANKING),
      dataDir,
      fresh: false,
      serve: null,
      log: silentLog,
      clock,
    } as const;
    let app: App | null = null;
    for (const part of seconds) {
      app = await createApp({ ...options, source: { kind: "demo", seed: 4, customers: 20, rate: 50 } });
      await app.start();
      for (let at = 0; at < part * 10; at++) {
        await clock.advance(100);
        await settle(20);
      }
      await app.stop();
    }
    const reader = await createApp({ ...options, source: null });
    const { tallies, quarantined } = await reader.counts();
    await reader.stop();
    return { tallies, quarantined };
  }

  test("loses nothing and doubles nothing", async () => {
    const startMs = clock.nowMs();
    const whole = await live(join(directory, "whole"), [3]);
    clock.set(startMs);
    const parts = await live(join(directory, "parts"), [1, 0.5, 1.5]);
    expect(whole.tallies.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(250);
    expect(parts).toEqual(whole);
  });

  test("keeps the secret that signs cursors, for its owner only", async () => {
    const serve = { host: "127.0.0.1", port: 0, insecure: false, graphiql: false, cursorSecret: null };
    const options = {
      plan: readPlan(BANKING),
      dataDir: directory,
      fresh: false,
      source: null,
      serve,
      log: silentLog,
    };
    const app = await createApp(options);
    await app.start();
    await app.stop();
    const { mode, size } = statSync(join(directory, "cursor-secret"));
    expect([mode & 0o777, size]).toEqual([0o600, 32]);
  });

  test("pages of origins that are allowed may use the API, those of others may not", async () => {
    const allowed = "https://bank.example";
    const app = await createApp({
      ...{ plan: readPlan(BANKING), dataDir: directory, fresh: false, source: null, log: silentLog },
      serve: {
        ...{ host: "127.0.0.1", port: 0, insecure: false, graphiql: false },
        cursorSecret: null,
        origins: [allowed],
      },
    });
    const url = await app.start();
    const asked = async (origin: string) => {
      const { status, headers } = await fetch(`${url}/graphql`, { method: "OPTIONS", headers: { origin } });
      return { status, may: headers.get("access-control-allow-origin") };
    };
    expect(await asked(allowed)).toEqual({ status: 204, may: allowed });
    expect(await asked("https://other.example")).toEqual({ status: 403, may: null });
    await app.stop();
  });

  test("an app that cannot listen leaves its data to others, also when its port was taken at the last moment", async () => {
    const nowhere = { host: "203.0.113.7", port: 1, insecure: true, graphiql: false, cursorSecret: null };
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(0, "127.0.0.1", resolve));
    const { port } = taker.address() as AddressInfo;
    await new Promise((resolve) => taker.close(resolve));
    const serve = { ...nowhere, host: "127.0.0.1", port };
    const options = {
      plan: readPlan(BANKING),
      dataDir: directory,
      fresh: false,
      source: null,
      log: silentLog,
    };
    const refused = createApp({ ...options, serve: nowhere });
    await expect(refused).rejects.toSatisfy((error: unknown) => codeOf(error) === "SETTINGS_INVALID");
    const app = await createApp({ ...options, serve });
    await new Promise<void>((resolve) => taker.listen(port, "127.0.0.1", resolve));
    await expect(app.start()).rejects.toSatisfy((error: unknown) => codeOf(error) === "PORT_IN_USE");
    await app.stop();
    taker.close();
    const other = await createApp({ ...options, serve: null });
    await other.stop();
  });
});
