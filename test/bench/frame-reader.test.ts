import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { FrameReader } from "../../src/bench/frame-reader.ts";
import { SocketLoad } from "../../src/bench/socket-load.ts";

/** A frame as a server sends it. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extra);
  head[0] = 0x80 | opcode;
  head[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) head.writeUInt16BE(length, 2);
  if (extra === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

function reading(): { readonly reader: FrameReader; readonly texts: string[]; readonly others: string[] } {
  const texts: string[] = [];
  const others: string[] = [];
  const reader = new FrameReader({
    text: (payload) => texts.push(payload.toString()),
    ping: (payload) => others.push(`ping ${payload.toString()}`),
    close: () => others.push("close"),
  });
  return { reader, texts, others };
}

const lengths = fc.oneof(fc.nat(200), fc.constantFrom(0, 125, 126, 65_535, 65_536, 70_000));

describe("reading frames", () => {
  test("every frame is read once and whole, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(lengths, { maxLength: 6 }),
        fc.array(fc.nat(100_000), { maxLength: 8 }),
        (sizes, cuts) => {
          const sent = sizes.map((size, index) => String(index).repeat(size).slice(0, size));
          const stream = Buffer.concat(sent.map((text) => serverFrame(1, Buffer.from(text))));
          const { reader, texts } = reading();
          const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
          let start = 0;
          for (const end of ends) {
            reader.feed(stream.subarray(start, end));
            start = end;
          }
          expect(texts).toEqual(sent);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("pings and closes are told apart from texts", () => {
    const { reader, texts, others } = reading();
    reader.feed(Buffer.concat([serverFrame(9, Buffer.from("p")), serverFrame(8, Buffer.alloc(2))]));
    expect(texts).toEqual([]);
    expect(others).toEqual(["ping p", "close"]);
  });

  test("what such a server never sends is refused", () => {
    expect(() => reading().reader.feed(Buffer.from([0x01, 0x00]))).toThrow("fragmented");
    expect(() => reading().reader.feed(Buffer.from([0xc1, 0x00]))).toThrow("compressed");
    expect(() => reading().reader.feed(Buffer.from([0x82, 0x00]))).toThrow("opcode 2");
  });
});

describe("a load of sockets", () => {
  test("counts the changes that ws sends, and nothing else", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const load = new SocketLoad({ port, count: 3, subscribe: null });
    await load.open();
    for (const socket of server.clients) {
      socket.send('{"payload":{"__typename":"Progress"}}');
      socket.send('{"payload":{"__typename":"CustomerChange"}}');
    }
    await load.reached(3);
    expect(load.sample).toBe('{"payload":{"__typename":"CustomerChange"}}');
    await expect(load.reached(2)).rejects.toThrow("3 deliveries where 2 were due");
    load.close();
    server.close();
  });

  test("ws reads the frames it writes, of every length, and its pongs", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const asked: string[] = [];
    const ponged = new Promise((resolve) => {
      server.on("connection", (socket) => {
        socket.on("message", (bytes) => {
          const { type, payload } = JSON.parse(String(bytes)) as {
            type: string;
            payload?: { query: string };
          };
          asked.push(payload?.query ?? type);
          socket.send(JSON.stringify({ type: type === "subscribe" ? "next" : "connection_ack" }));
        });
        socket.on("pong", (payload) => resolve(String(payload)));
        socket.ping("still there?");
      });
    });
    const query = "q".repeat(1_000);
    const load = new SocketLoad({ port, count: 1, subscribe: () => ({ query, variables: {} }) });
    await load.open();
    expect(asked).toEqual(["connection_init", query]);
    expect(await ponged).toBe("still there?");
    load.close();
    server.close();
  });

  test("a server that cuts a socket fails the load", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const load = new SocketLoad({ port, count: 2, subscribe: null });
    await load.open();
    for (const socket of server.clients) socket.close(1013, "too slow");
    await expect(load.reached(1)).rejects.toThrow("the server closed a socket: too slow");
    load.close();
    server.close();
  });
});
