import { connect, createServer, type AddressInfo } from "node:net";
import { BSON } from "mongodb";

/** A way to a MongoDB server that counts what is written on it. It reads every command, so nothing is timed through it. */
export interface CountingProxy {
  readonly port: number;
  /** Writes of single documents so far, by collection. */
  writes(): ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const OP_MSG = 2_013;
const HEADER_BYTES = 16;
const FLAG_BYTES = 4;
const LISTS = { update: "updates", insert: "documents", delete: "deletes" } as const;

/** Starts a proxy in this process, on a free port of 127.0.0.1. */
export async function startCountingProxy(target: number): Promise<CountingProxy> {
  const counts = new Map<string, number>();
  const count = (collection: string, writes: number): void => {
    if (writes > 0) counts.set(collection, (counts.get(collection) ?? 0) + writes);
  };
  const open = new Set<{ destroy(): void }>();
  const server = createServer((client) => {
    const behind = connect(target, "127.0.0.1");
    for (const socket of [client, behind]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        behind.destroy();
        open.delete(socket);
      });
    }
    let rest = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      behind.write(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (let size = sizeOf(rest); size !== null; size = sizeOf(rest)) {
        readCommand(rest.subarray(0, size), count);
        rest = rest.subarray(size);
      }
    });
    behind.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    writes: () => new Map(counts),
    stop: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Bytes of the first message; null until it is there whole. */
function sizeOf(bytes: Buffer): number | null {
  if (bytes.length < HEADER_BYTES) return null;
  const size = bytes.readInt32LE(0);
  return bytes.length < size ? null : size;
}

/** Counts the documents a command writes, whether they stand in it or in a section of their own. */
function readCommand(message: Buffer, count: (collection: string, writes: number) => void): void {
  if (message.readInt32LE(12) !== OP_MSG) return;
  let command: BSON.Document = {};
  let apart = 0;
  for (let at = HEADER_BYTES + FLAG_BYTES; at < message.length;) {
    const kind = message.readUInt8(at);
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) command = BSON.deserialize(section);
    else apart += documentsIn(section);
    at += 1 + size;
  }
  for (const [name, list] of Object.entries(LISTS)) {
    const collection: unknown = command[name];
    const inside: unknown = command[list];
    if (typeof collection === "string")
      count(collection, apart + (Array.isArray(inside) ? inside.length : 0));
  }
}

/** Documents in a section of several: its size, its name, then one behind the other. */
function documentsIn(section: Buffer): number {
  let documents = 0;
  for (let at = section.indexOf(0, 4) + 1; at < section.length; at += section.readInt32LE(at)) documents += 1;
  return documents;
}
