import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import { WebSocket } from "ws";
import { eventually, serving } from "../serving.ts";
import type { Serving } from "../serving.ts";

let open: Serving | null = null;
const leaving: (() => void)[] = [];
afterEach(async () => {
  for (const leave of leaving.splice(0)) leave();
  await open?.stop();
  open = null;
});

async function server(options: Parameters<typeof serving>[0] = {}): Promise<Serving> {
  open = await serving(options);
  return open;
}

interface Shown {
  kind: string;
  cursor: string;
  revision: number | null;
  missed: number | null;
}

const FIELDS = "kind cursor revision missed pad";
const query = (more = "") => `subscription { customerUpdates(customerId: "ann" ${more}) { ${FIELDS} } }`;

interface Block {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** A bare request for an event stream, cut into its blocks; can stop reading. */
async function bare(s: Serving, body: unknown, headers: Record<string, string> = {}) {
  const blocks: Block[] = [];
  let text = "";
  let comments = 0;
  let isOver = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const [host, path] = s.url.split("/");
    const call = httpRequest(
      `http://${host}/${path}`,
      {
        method: "POST",
        headers: { accept: "text/event-stream", "content-type": "application/json", ...headers },
      },
      resolve,
    );
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
  response.setEncoding("utf8");
  response.on("data", (part: string) => {
    text += part;
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) break;
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim() ?? null;
      if (lines.every((line) => line.startsWith(":"))) comments += 1;
      else blocks.push({ event: field("event") ?? "", id: field("id"), data: field("data") ?? "" });
    }
  });
  response.on("error", () => {});
  response.on("close", () => (isOver = true));
  const shown = () =>
    blocks
      .filter(({ event, data }) => event === "next" && data.includes("customerUpdates"))
      .map(({ data }) => (JSON.parse(data) as { data: { customerUpdates: Shown } }).data.customerUpdates);
  leaving.push(() => response.destroy());
  return { response, blocks, shown, comments: () => comments, isOver: () => isOver };
}

describe("subscriptions over SSE", () => {
  it("give a graphql-sse client a snapshot, then each change", async () => {
    const s = await server();
    await s.change("ann");
    const client = createClient({ url: `http://${s.url}`, retryAttempts: 0 });
    const seen: Shown[] = [];
    const leave = client.subscribe<{ customerUpdates: Shown }>(
      { query: query() },
      { next: ({ data }) => data && seen.push(data.customerUpdates), error: () => {}, complete: () => {} },
    );
    leaving.push(() => client.dispose());
    await eventually(() => seen.length === 1);
    await s.change("ann");
    await eventually(() => seen.length === 2);
    expect(seen.map(({ kind, revision }) => [kind, revision])).toEqual([
      ["snapshot", 1],
      ["change", 2],
    ]);
    leave();
    await eventually(() => s.context.hub.size() === 0 && s.sse.size() === 0);
    const answers: unknown[] = [];
    for await (const { data } of client.iterate({ query: "{ hello }" })) answers.push(data);
    expect(answers).toEqual([{ hello: "world" }]);
  });

  it("carry the cursor as id on what moves the client on, and on nothing else", async () => {
    const s = await server({ hub: { progressMs: 1_000 } });
    const one = await bare(s, { query: `subscription { customerUpdates(customerId: "ann") { kind } }` });
    await eventually(() => one.blocks.length === 1);
    await s.change("ann");
    await eventually(() => one.blocks.length === 2);
    await s.clock.advance(2_500);
    await eventually(() => one.blocks.length >= 3);
    s.context.hub.drain();
    await eventually(() => one.isOver());
    const told = one.blocks.map(({ event, id, data }) => [
      event,
      data.match(/"kind":"(\w+)"/)?.[1],
      id !== null,
    ]);
    expect(told).toEqual([
      ["next", "snapshot", true],
      ["next", "change", true],
      ["next", "progress", false],
      ["next", "ended", false],
      ["complete", undefined, false],
    ]);
    const { watch } = s.context.cursors.open(one.blocks[1]?.id ?? "", "everything");
    expect(watch).toEqual({ field: "customerUpdates", customerId: "ann" });
  });

  it("take Last-Event-ID for the cursor, unless the operation names one", async () => {
    const s = await server();
    const first = await bare(s, { query: query() });
    await eventually(() => first.blocks.length === 1);
    const ids = [first.blocks[0]?.id ?? ""];
    for (let n = 1; n <= 4; n++) {
      await s.change("ann");
      await eventually(() => first.blocks.length === n + 1);
      ids.push(first.blocks[n]?.id ?? "");
    }
    const back = { "last-event-id": ids[1] ?? "" };
    const plain = await bare(s, { query: query("mode: EVERY") }, back);
    const variable = await bare(
      s,
      {
        query: `subscription ($from: String) { customerUpdates(customerId: "ann", after: $from, mode: EVERY) { ${FIELDS} } }`,
        variables: { from: null },
      },
      back,
    );
    const named = await bare(s, { query: query(`mode: EVERY after: "${ids[3]}"`) }, back);
    await s.change("ann");
    await eventually(
      () => plain.shown().length === 4 && variable.shown().length === 4 && named.shown().length === 2,
    );
    expect(plain.shown().map(({ revision }) => revision)).toEqual([2, 3, 4, 5]);
    expect(variable.shown()).toEqual(plain.shown());
    expect(named.shown().map(({ revision }) => revision)).toEqual([4, 5]);
    const stale = await bare(s, { query: query() }, { "last-event-id": "stale" });
    await eventually(() => stale.isOver());
    expect(stale.blocks[0]?.data).toContain("CURSOR_INVALID");
  });

  it("are the same frames, byte for byte, as over WebSocket, and executed once for both", async () => {
    const s = await server();
    const texts: string[] = [];
    const socket = createWebSocketClient({
      url: `ws://${s.url}`,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string) {
          super(url, protocols);
          this.on("message", (bytes) => String(bytes).includes('"next"') && texts.push(String(bytes)));
        }
      },
    });
    leaving.push(() => void socket.dispose());
    const body = { query: `subscription { customerUpdates(customerId: "ann") { kind cursor executed } }` };
    socket.subscribe(body, { next: () => {}, error: () => {}, complete: () => {} });
    const stream = await bare(s, body);
    await eventually(() => texts.length === 1 && stream.blocks.length === 1);
    const { executions } = s.count;
    await s.change("ann");
    await eventually(() => texts.length === 2 && stream.blocks.length === 2);
    expect(s.count.executions).toBe(executions + 1);
    expect(texts[1]).toContain(`"payload":${stream.blocks[1]?.data}}`);
  });

  it("a client that does not read is bounded, gets a Gap that accounts for every update, and disturbs nobody", async () => {
    const s = await server({ hub: { waiting: 50 } });
    s.count.pad = "x".repeat(20_000);
    const slow = await bare(s, { query: query("mode: EVERY") });
    const healthy = await bare(s, { query: query("mode: EVERY") });
    await eventually(() => slow.blocks.length === 1 && healthy.blocks.length === 1);
    slow.response.socket.pause();
    const total = 2_000;
    for (let n = 1; n <= total; n++) {
      await s.change("ann");
      if (n % 20 === 0) await eventually(() => healthy.blocks.length > n);
    }
    await eventually(() => healthy.blocks.length === total + 1);
    slow.response.socket.resume();
    await eventually(() => (slow.shown().at(-1)?.revision ?? 0) === total);
    const delivered = slow.shown().filter(({ kind }) => kind === "change").length;
    const missed = slow.shown().reduce((sum, frame) => sum + (frame.missed ?? 0), 0);
    expect(missed).toBeGreaterThan(0);
    expect(delivered + missed).toBe(total);
  });

  it("are kept alive by comments; who takes nothing for long is cut off", async () => {
    const s = await server();
    s.count.pad = "x".repeat(200_000);
    const alive = await bare(s, { query: 'subscription { customerUpdates(customerId: "bob") { kind } }' });
    const stuck = await bare(s, { query: query("mode: EVERY") });
    await eventually(() => stuck.blocks.length === 1);
    stuck.response.socket.pause();
    for (let n = 0; n < 200; n++) {
      await s.change("ann");
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const before = alive.comments();
    await s.clock.advance(12_000);
    await eventually(() => alive.comments() > before);
    await s.clock.advance(12_000);
    await eventually(() => s.sse.size() === 1 && s.context.hub.size() === 1);
    expect(alive.isOver()).toBe(false);
  });

  it("of a client that took everything in between are not cut off for what waits now", async () => {
    const s = await server();
    let waiting = 0;
    s.http.prependListener("request", (_, response) =>
      Object.defineProperty(response, "writableLength", { get: () => waiting }),
    );
    const one = await bare(s, { query: query() });
    await eventually(() => one.blocks.length === 1);
    for (waiting of [10, 0, 10, 0, 10]) await s.clock.advance(12_000);
    expect(s.sse.size()).toBe(1);
    await s.clock.advance(12_000);
    await eventually(() => s.sse.size() === 0);
  });

  it("free everything when their client is gone", async () => {
    const s = await server();
    for (let n = 0; n < 100; n++) {
      const one = await bare(s, { query: query() });
      if (n % 2 === 0) await eventually(() => one.blocks.length === 1);
      one.response.destroy();
    }
    await eventually(() => s.context.hub.size() === 0 && s.sse.size() === 0);
  });

  it("say what was wrong with a request, with a code, and no more than that", async () => {
    const s = await server();
    const said = async (body: unknown) => {
      const one = await bare(s, body);
      const parts: string[] = [];
      if (one.response.statusCode !== 200) one.response.on("data", (part: string) => parts.push(part));
      await eventually(() => one.isOver());
      const text = parts.join("") || (one.blocks[0]?.data ?? "");
      const { errors } = JSON.parse(text) as { errors: { extensions: { code: string } }[] };
      return [one.response.statusCode, errors[0]?.extensions.code, text] as const;
    };
    expect((await said([])).slice(0, 2)).toEqual([400, "BAD_USER_INPUT"]);
    expect((await said({ query: "{" })).slice(0, 2)).toEqual([400, "GRAPHQL_PARSE_FAILED"]);
    expect((await said({ query: "{ nothing }" })).slice(0, 2)).toEqual([400, "GRAPHQL_VALIDATION_FAILED"]);
    expect((await said({ query: query('after: "x"') })).slice(0, 2)).toEqual([200, "CURSOR_INVALID"]);
    const [, code, text] = await said({ query: "{ broken }" });
    expect(code).toBe("INTERNAL_ERROR");
    expect(text).not.toContain("hunter2");
  });
});
