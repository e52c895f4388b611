import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startProxy, type Proxy } from "./proxy.ts";

/** One end of a connection, and what became of it. */
interface End {
  readonly socket: Socket;
  received: string;
  fate: "open" | "ended" | "broken";
}

function watch(socket: Socket): End {
  const end: End = { socket, received: "", fate: "open" };
  socket.on("data", (piece: Buffer) => (end.received += piece.toString()));
  socket.once("end", () => (end.fate = "ended"));
  socket.once("error", () => (end.fate = "broken"));
  return end;
}

let listener: Server;
let accepted: End[];
let clients: End[];
let proxy: Proxy;

beforeEach(async () => {
  accepted = [];
  clients = [];
  listener = createServer({ allowHalfOpen: true }, (socket) => accepted.push(watch(socket)));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  proxy = await startProxy({ target: (listener.address() as AddressInfo).port, seed: 7 });
});
afterEach(async () => {
  for (const { socket } of [...clients, ...accepted]) socket.destroy();
  await proxy.stop();
  listener.close();
});

function open(): End {
  const end = watch(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true }));
  clients.push(end);
  return end;
}

/** A client and what the server has of it, both connected. */
async function pair(): Promise<readonly [client: End, server: End]> {
  const before = accepted.length;
  const client = open();
  client.socket.write("hello ");
  await expect.poll(() => accepted[before]?.received).toBe("hello ");
  const server = accepted[before];
  if (server === undefined) throw new Error("not accepted");
  server.received = "";
  return [client, server];
}

/** Long enough for a piece to arrive that is not held back. */
const aMoment = () => new Promise<void>((resolve) => setTimeout(resolve, 100));

describe("a proxy", () => {
  test("bytes pass in both directions, and so does an end, each direction for itself", async () => {
    const [client, server] = await pair();
    client.socket.end("last words");
    await expect.poll(() => [server.received, server.fate]).toEqual(["last words", "ended"]);
    server.socket.end("an answer to them");
    await expect.poll(() => [client.received, client.fate]).toEqual(["an answer to them", "ended"]);
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  test("what arrives is what was sent, also when the reader is slower than the writer", async () => {
    const [client, server] = await pair();
    client.socket.pause();
    const sent = Array.from({ length: 2_000_000 }, (_, at) => `a line ${at}\n`).join("");
    let handedOver = false;
    server.socket.end(sent, () => (handedOver = true));
    for (let moments = 0; moments < 10; moments++) await aMoment();
    expect(handedOver).toBe(false);
    client.socket.resume();
    await expect.poll(() => client.fate).toBe("ended");
    expect(client.received === sent).toBe(true);
  });

  test("a server that dies, or is not there, breaks the connection of the client", async () => {
    const [client, server] = await pair();
    server.socket.resetAndDestroy();
    await expect.poll(() => client.fate).toBe("broken");
    listener.close();
    const late = open();
    await expect.poll(() => late.fate).toBe("broken");
  });

  test("cut breaks what is open and what comes, until it resumes", async () => {
    const [client, server] = await pair();
    proxy.cut();
    await expect.poll(() => [client.fate, server.fate]).toEqual(["broken", "broken"]);
    const early = open();
    await expect.poll(() => early.fate).toBe("broken");
    expect(accepted).toHaveLength(1);
    proxy.resume();
    await pair();
  });

  test("behind a black hole nothing arrives, not even the death of the other side; afterwards everything does", async () => {
    const [client, server] = await pair();
    const [survivor, living] = await pair();
    proxy.blackhole();
    client.socket.write("request");
    survivor.socket.write("request");
    server.socket.resetAndDestroy();
    await aMoment();
    expect([client.fate, survivor.fate, living.received]).toEqual(["open", "open", ""]);
    const blind = open();
    blind.socket.write("anybody there?");
    await aMoment();
    expect([blind.fate, blind.socket.connecting, accepted[2]?.received]).toEqual(["open", false, ""]);
    proxy.resume();
    await expect.poll(() => [client.fate, living.received]).toEqual(["broken", "request"]);
    await expect.poll(() => accepted[2]?.received).toBe("anybody there?");
  });

  test.each([
    ["toServer", "", "news"],
    ["toClient", "request", ""],
  ] as const)("stalled %s, the other direction works", async (direction, atServer, atClient) => {
    const [client, server] = await pair();
    proxy.stall(direction);
    client.socket.write("request");
    server.socket.write("news");
    await aMoment();
    expect([server.received, client.received]).toEqual([atServer, atClient]);
    proxy.resume();
    await expect.poll(() => [server.received, client.received]).toEqual(["request", "news"]);
  });

  test("a dropped reply was sent: the request arrived, and the connection breaks when it resumes", async () => {
    const [client, server] = await pair();
    const [idle] = await pair();
    proxy.dropReplies();
    client.socket.write("save");
    await expect.poll(() => server.received).toBe("save");
    server.socket.write("saved");
    await expect.poll(() => proxy.lostBytes()).toBe(5);
    expect([client.received, client.fate]).toEqual(["", "open"]);
    proxy.resume();
    await expect.poll(() => client.fate).toBe("broken");
    expect([client.received, idle.fate]).toEqual(["", "open"]);
  });

  test("delayed pieces arrive later and in order", async () => {
    const [client, server] = await pair();
    proxy.delay(80, 40);
    const begun = performance.now();
    for (const piece of ["a", "b", "c", "d", "e"]) {
      client.socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => server.received, { interval: 5 }).toBe("abcde");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(79);
  });

  test("resume hands over at once what a delay was keeping", async () => {
    const [client, server] = await pair();
    proxy.delay(60_000);
    client.socket.write("late");
    await aMoment();
    expect(server.received).toBe("");
    proxy.resume();
    await expect.poll(() => server.received).toBe("late");
  });

  test("after its stop nothing is left open", async () => {
    const [client, server] = await pair();
    await proxy.stop();
    await expect.poll(() => [client.fate, server.fate]).toEqual(["broken", "broken"]);
    const late = open();
    await expect.poll(() => late.fate).toBe("broken");
  });
});
