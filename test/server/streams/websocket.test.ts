import { once } from "node:events";
import { queryObjects } from "node:v8";
import { afterEach, describe, expect, it } from "vitest";
import { createClient } from "graphql-ws";
import type { Client } from "graphql-ws";
import { WebSocket } from "ws";
import { eventually, serving } from "../serving.ts";
import type { Serving } from "../serving.ts";

let open: Serving | null = null;
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
  await open?.stop();
  open = null;
});

async function server(options: Parameters<typeof serving>[0] = {}): Promise<Serving> {
  open = await serving(options);
  return open;
}

function client({ url }: Serving): Client {
  const made = createClient({ url: `ws://${url}`, webSocketImpl: WebSocket, retryAttempts: 0 });
  clients.push(made);
  return made;
}

interface Shown {
  kind: string;
  cursor: string | null;
  customerId: string | null;
  revision: number | null;
  missed: number | null;
  executed: number;
}

const FIELDS = "kind cursor customerId revision missed executed pad";

/** Subscribes with graphql-ws; what comes is collected. */
function watch(by: Client, customerId: string, more = "") {
  const seen: Shown[] = [];
  const errors: unknown[] = [];
  let isOver = false;
  const leave = by.subscribe<{ customerUpdates: Shown }>(
    { query: `subscription { customerUpdates(customerId: "${customerId}" ${more}) { ${FIELDS} } }` },
    {
      next: ({ data, errors: failed }) => {
        if (data) seen.push(data.customerUpdates);
        if (failed) errors.push(...failed);
      },
      error: (error) => errors.push(error),
      complete: () => {
        isOver = true;
      },
    },
  );
  return { seen, errors, leave, isOver: () => isOver };
}

/** A bare socket that speaks the protocol, and can stop reading. */
async function bare({ url }: Serving, { init = true, headers = {} } = {}) {
  const socket = new WebSocket(`ws://${url}`, "graphql-transport-ws", { headers });
  const received: { type: string; id?: string; payload?: unknown }[] = [];
  let closed: number | null = null;
  let refused: string | null = null;
  socket.on("message", (bytes) => received.push(JSON.parse(String(bytes))));
  socket.on("close", (code) => (closed = code));
  socket.on("error", (error) => (refused = error.message));
  await eventually(() => socket.readyState !== WebSocket.CONNECTING);
  const send = (message: unknown) => socket.send(JSON.stringify(message));
  if (init && refused === null) {
    send({ type: "connection_init" });
    await eventually(() => received.length > 0);
  }
  return {
    socket,
    received,
    send,
    closed: () => closed,
    refused: () => refused,
    subscribe: (id: string, query: string, variables?: unknown) =>
      send({ id, type: "subscribe", payload: { query, variables } }),
    stream: (socket as unknown as { _socket: { pause(): void; resume(): void; destroy(): void } })._socket,
  };
}

const SHORT = (customerId: string) =>
  `subscription { customerUpdates(customerId: "${customerId}") { kind } }`;

describe("subscriptions over WebSocket", () => {
  it("give a snapshot, then each change; queries and mutations work on the same socket", async () => {
    const s = await server();
    await s.change("ann");
    const by = client(s);
    const ann = watch(by, "ann");
    await eventually(() => ann.seen.length === 1);
    await s.change("ann");
    await eventually(() => ann.seen.length === 2);
    expect(ann.seen.map(({ kind, customerId, revision }) => [kind, customerId, revision])).toEqual([
      ["snapshot", "ann", 1],
      ["change", "ann", 2],
    ]);
    const asked: unknown[] = [];
    for (const query of ["{ hello }", "mutation { touch }"])
      for await (const result of by.iterate({ query })) asked.push(result.data);
    expect(asked).toEqual([{ hello: "world" }, { touch: 1 }]);
  });

  it("resume behind a cursor: nothing missed, nothing twice", async () => {
    const s = await server();
    const first = watch(client(s), "ann");
    await eventually(() => first.seen.length === 1);
    await s.change("ann");
    await eventually(() => first.seen.length === 2);
    first.leave();
    await eventually(() => s.context.hub.size() === 0);
    for (let n = 0; n < 5; n++) await s.change("ann");
    const again = watch(client(s), "ann", `after: "${first.seen[1]?.cursor}" mode: EVERY`);
    await eventually(() => again.seen.length === 5);
    await s.change("ann");
    await eventually(() => again.seen.length === 6);
    expect(again.seen.map(({ revision }) => revision)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it("execute an update once for all who ask the same, wherever they began", async () => {
    const s = await server();
    const by = client(s);
    const query = `subscription ($after: String, $mode: Mode) {
      customerUpdates(customerId: "ann", after: $after, mode: $mode) { ${FIELDS} } }`;
    const seen: Shown[][] = [];
    const begin = (variables: Record<string, unknown>) => {
      const mine: Shown[] = [];
      seen.push(mine);
      by.subscribe<{ customerUpdates: Shown }>(
        { query, variables },
        {
          next: ({ data }) => data && mine.push(data.customerUpdates),
          error: () => {},
          complete: () => {},
        },
      );
      return mine;
    };
    const first = begin({});
    await eventually(() => first.length === 1);
    for (let n = 0; n < 30; n++) begin(n % 3 === 0 ? {} : { after: first[0]?.cursor, mode: "EVERY" });
    await eventually(
      () => s.context.hub.size() === 31 && seen.every((one, n) => n % 3 !== 1 || one.length === 1),
    );
    await eventually(() => s.count.executions === 11);
    await s.change("ann");
    await s.change("ann");
    await eventually(() => seen.every((one) => one.filter(({ kind }) => kind === "change").length === 2));
    expect(s.count.executions).toBe(13);
    const other = watch(by, "bob");
    await eventually(() => other.seen.length === 1);
    expect(s.count.executions).toBe(14);
  });

  it("never mix customers, with healthy readers in bursts", async () => {
    const s = await server();
    const by = [client(s), client(s)];
    const names = ["ann", "bob"];
    const all = names.map((name, n) => watch(by[n] ?? client(s), name, "mode: EVERY"));
    await eventually(() => all.every(({ seen }) => seen.length === 1));
    for (let round = 0; round < 100; round++)
      for (const name of names) for (let n = 0; n < 3; n++) await s.change(name);
    await eventually(() => all.every(({ seen }) => seen.length === 301));
    for (const [n, { seen }] of all.entries()) {
      const changes = seen.slice(1);
      expect(new Set(changes.map(({ customerId }) => customerId))).toEqual(new Set([names[n]]));
      expect(changes.map(({ revision }) => revision)).toEqual(changes.map((_, index) => index + 1));
    }
  });

  it("a client that stops reading is bounded, gets a Gap that accounts for every update, and disturbs nobody", async () => {
    const s = await server({ hub: { waiting: 50 } });
    s.count.pad = "x".repeat(20_000);
    const slow = await bare(s);
    slow.subscribe(
      "1",
      `subscription { customerUpdates(customerId: "ann", mode: EVERY) { kind revision missed pad } }`,
    );
    await eventually(() => slow.received.length === 2);
    const healthy = watch(client(s), "ann", "mode: EVERY");
    await eventually(() => healthy.seen.length === 1);
    slow.stream.pause();
    const total = 2_000;
    for (let n = 1; n <= total; n++) {
      await s.change("ann");
      if (n % 20 === 0) await eventually(() => healthy.seen.length > n);
    }
    await eventually(() => healthy.seen.length === total + 1);
    expect(healthy.seen.slice(1).map(({ revision }) => revision)).toEqual(
      Array.from({ length: total }, (_, n) => n + 1),
    );
    slow.stream.resume();
    const shown = () =>
      slow.received
        .filter(({ type }) => type === "next")
        .map(({ payload }) => (payload as { data: { customerUpdates: Shown } }).data.customerUpdates);
    await eventually(() => (shown().at(-1)?.revision ?? 0) === total);
    const kinds = shown().map(({ kind }) => kind);
    const delivered = shown().filter(({ kind }) => kind === "change").length;
    const missed = shown().reduce((sum, frame) => sum + (frame.missed ?? 0), 0);
    expect(kinds).toContain("gap");
    expect(kinds[kinds.indexOf("gap") + 1]).toBe("snapshot");
    expect(delivered + missed).toBe(total);
    const revisions = shown().flatMap(({ revision }) => revision ?? []);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    slow.socket.terminate();
  });

  it("completion and an abrupt end free everything", async () => {
    const s = await server();
    const by = client(s);
    const one = watch(by, "ann");
    const two = await bare(s);
    two.subscribe("1", SHORT("ann"));
    two.subscribe("2", SHORT("bob"));
    await eventually(() => s.context.hub.size() === 3);
    one.leave();
    two.stream.destroy();
    await eventually(() => s.context.hub.size() === 0);
    const many = await bare(s);
    for (let n = 0; n < 200; n++) {
      many.subscribe(`${n}`, SHORT("ann"));
      many.send({ id: `${n}`, type: "complete" });
    }
    const last = await bare(s);
    last.subscribe("1", SHORT("ann"));
    last.socket.terminate();
    await eventually(() => s.context.hub.size() === 0);
    many.socket.terminate();
    await eventually(() => s.sockets.size() <= 1);
  });

  it("keep no timer, signal, listener, promise or closure each while they wait", async () => {
    const s = await server();
    const b = await bare(s);
    const idle = async (count: number) => {
      for (let n = b.received.length; n <= count; n++) b.subscribe(`${n}`, SHORT("ann"));
      await eventually(() => b.received.length === count + 1);
    };
    const timer = setTimeout(() => {});
    clearTimeout(timer);
    const kinds = [timer.constructor, AbortController, Promise, Function];
    const counted = () => kinds.map((kind) => queryObjects(kind, { format: "count" }));
    await idle(10);
    const few = counted();
    await idle(100);
    const many = counted();
    for (const [n, { name }] of kinds.entries())
      expect((many[n] ?? NaN) - (few[n] ?? NaN), name).toBeLessThan(20);
    b.socket.terminate();
  });

  it("have an id each, which is free again as soon as one is over", async () => {
    const s = await server();
    const b = await bare(s);
    const open = (count: number) => eventually(() => s.context.hub.size() === count);
    b.subscribe("1", SHORT("ann"));
    b.send({ id: "1", type: "complete" });
    b.subscribe("1", SHORT("ann"));
    await eventually(() => b.received.length === 2);
    await open(1);
    b.send({ id: "1", type: "complete" });
    await open(0);
    s.beforeRead = () => Promise.reject(new Error("not now"));
    b.subscribe("1", SHORT("ann"));
    await eventually(() => b.received.length === 3);
    expect(b.received[2]).toMatchObject({ id: "1", type: "error" });
    s.beforeRead = () => Promise.resolve();
    b.subscribe("1", SHORT("ann"));
    await eventually(() => b.received.length === 4);
    b.subscribe("1", SHORT("bob"));
    await eventually(() => b.closed() !== null);
    expect(b.closed()).toBe(4409);
    await open(0);
  });

  it("when the server drains get a resumable end, then the socket closes with 1012", async () => {
    const s = await server();
    const b = await bare(s);
    b.subscribe("1", SHORT("ann"));
    await eventually(() => b.received.length === 2);
    await s.sockets.drain();
    await eventually(() => b.closed() !== null);
    expect(b.received.slice(2)).toMatchObject([
      { type: "next", payload: { data: { customerUpdates: { kind: "ended" } } } },
      { type: "complete" },
    ]);
    expect(b.closed()).toBe(1012);
    expect(s.context.hub.size()).toBe(0);
  });
});

describe("when the server drains, a socket", () => {
  it("closes as soon as its own streams have ended, and no later than one deadline", async () => {
    const s = await server({ socket: { drainMs: 2_000 } });
    s.count.pad = "x".repeat(500_000);
    const stuck = await bare(s);
    const idle = await bare(s);
    stuck.subscribe("1", `subscription { customerUpdates(customerId: "ann", mode: EVERY) { kind pad } }`);
    await eventually(() => stuck.received.length === 2);
    stuck.stream.pause();
    for (let n = 0; n < 100; n++) {
      await s.change("ann");
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let isOver = false;
    const drained = s.sockets.drain().then(() => (isOver = true));
    await eventually(() => idle.closed() !== null);
    expect([idle.closed(), isOver]).toEqual([1012, false]);
    await s.clock.advance(2_000);
    await drained;
    expect(s.sockets.size()).toBeLessThanOrEqual(1);
    await eventually(() => s.sockets.size() === 0 && s.context.hub.size() === 0);
  });
});

describe("a socket", () => {
  it("refuses pages of foreign origins, and other paths", async () => {
    const s = await server();
    const evil = await bare(s, { init: false, headers: { origin: "http://evil.example" } });
    expect(evil.refused()).toContain("403");
    const lost = await bare({ ...s, url: s.url.replace("graphql", "other") }, { init: false });
    expect(lost.refused()).toContain("404");
  });

  it("says what was wrong with an operation, with a code, and no more than that", async () => {
    const s = await server();
    const b = await bare(s);
    const said = async (query: string, variables?: unknown) => {
      const before = b.received.length;
      b.subscribe(`${before}`, query, variables);
      await eventually(() => b.received.length > before);
      const answer = b.received[before]?.payload as
        { errors?: { extensions: { code: string } }[] } | { extensions: { code: string } }[];
      const errors = Array.isArray(answer) ? answer : (answer.errors ?? []);
      return [errors[0]?.extensions.code, JSON.stringify(errors)];
    };
    expect((await said("{"))[0]).toBe("GRAPHQL_PARSE_FAILED");
    expect((await said("{ nothing }"))[0]).toBe("GRAPHQL_VALIDATION_FAILED");
    expect((await said("query a { hello } query b { hello }"))[0]).toBe("BAD_USER_INPUT");
    const forged = await said(
      `subscription { customerUpdates(customerId: "ann", after: "forged") { kind } }`,
    );
    expect(forged[0]).toBe("CURSOR_INVALID");
    const [code, text] = await said("{ broken }");
    expect(code).toBe("INTERNAL_ERROR");
    expect(text).not.toContain("hunter2");
    s.beforeRead = () => Promise.reject(new Error("hunter2"));
    const [failed, words] = await said(SHORT("ann"));
    expect(failed).toBe("INTERNAL_ERROR");
    expect(words).not.toContain("hunter2");
    expect(s.context.hub.size()).toBe(0);
    expect(b.closed()).toBeNull();
    b.socket.terminate();
  });

  it("takes so many operations at once and no more", async () => {
    const s = await server({ socket: { maxOperations: 3 } });
    const b = await bare(s);
    for (let n = 1; n <= 4; n++) b.subscribe(`${n}`, SHORT("ann"));
    await eventually(() => b.received.length === 5);
    expect(b.received.filter(({ type }) => type === "error")).toMatchObject([
      { id: "4", payload: [{ extensions: { code: "TOO_MANY_OPERATIONS" } }] },
    ]);
    b.send({ id: "1", type: "complete" });
    await eventually(() => s.context.hub.size() === 2);
    b.subscribe("5", SHORT("ann"));
    await eventually(() => s.context.hub.size() === 3);
    b.socket.terminate();
  });

  it("closes on too long a frame, on silence, and on what is not the protocol", async () => {
    const s = await server({ socket: { initMs: 50 } });
    const long = await bare(s);
    long.socket.send(`"${"x".repeat(70_000)}"`);
    const silent = await bare(s, { init: false });
    const garbled = await bare(s);
    garbled.socket.send("{]");
    const eager = await bare(s, { init: false });
    eager.subscribe("1", "{ hello }");
    const turned = await bare(s);
    turned.send({ id: "1", type: "next", payload: {} });
    const all = [long, silent, garbled, eager, turned];
    await eventually(() => all.every(({ closed }) => closed() !== null));
    expect(all.map(({ closed }) => closed())).toEqual([1009, 4408, 4400, 4401, 4400]);
  });

  it("is cut off when its client is gone without a word, and told to come back when it does not read", async () => {
    const s = await server();
    s.count.pad = "x".repeat(500_000);
    const gone = await bare(s);
    const stuck = await bare(s);
    const alive = await bare(s);
    stuck.subscribe("1", `subscription { customerUpdates(customerId: "ann", mode: EVERY) { kind pad } }`);
    await eventually(() => stuck.received.length === 2);
    gone.stream.pause();
    stuck.stream.pause();
    for (let n = 0; n < 400; n++) {
      await s.change("ann");
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let pinged = false;
    alive.socket.on("ping", () => (pinged = true));
    await s.clock.advance(12_000);
    await eventually(() => pinged);
    // Answered after the pong that went out before it: the server knows by then who is alive.
    alive.socket.ping();
    await once(alive.socket, "pong");
    await s.clock.advance(12_000);
    expect(s.sockets.size()).toBeLessThan(3);
    stuck.stream.resume();
    await eventually(() => stuck.closed() !== null);
    expect(stuck.closed()).toBe(1013);
    expect(alive.closed()).toBeNull();
    gone.socket.terminate();
    alive.socket.terminate();
  });
});
