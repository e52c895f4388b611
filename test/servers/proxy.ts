import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { lane, type Lane, type Mode } from "./lane.ts";

/** What a proxy stands in front of. */
export interface ProxyOptions {
  /** Port of the server, on 127.0.0.1. */
  readonly target: number;
  /** Where chance begins, for delays that vary. Default 1. */
  readonly seed?: number;
}

/** Whose bytes: those of the client to the server, or those of the server to the client. */
export type Direction = "toServer" | "toClient";

/** A link to a server that a test can break. Each fault holds for all connections, those to come as well, until `resume`. */
export interface Proxy {
  readonly port: number;
  /** Connections break at once, and so does each new one. */
  cut(): void;
  /** The link is dead, and neither side is told: connections stay open, nothing arrives, not even their end. */
  blackhole(): void;
  /** Nothing arrives in one direction; the other one works. */
  stall(direction: Direction): void;
  /** Requests arrive and are answered; the answers are lost. */
  dropReplies(): void;
  /** Everything arrives later, in order, by this time and by chance up to `jitterMs` more. */
  delay(ms: number, jitterMs?: number): void;
  /** Everything works again. What was held back arrives; a connection that has lost bytes breaks. */
  resume(): void;
  /** How many connections are open. */
  connections(): number;
  /** How many bytes of answers were lost on connections that are open. */
  lostBytes(): number;
  /** Breaks all connections and ends the proxy. */
  stop(): Promise<void>;
}

/** One client and its connection to the server. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: readonly Lane[];
}

/** Numbers from 0 to 1 that look like chance and are the same each time (xorshift). */
function chanceFrom(seed: number): () => number {
  let state = (seed | 0) === 0 ? 1 : seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Faults {
  readonly cut: boolean;
  readonly toServer: Mode;
  readonly toClient: Mode;
  readonly delayMs: number;
  readonly jitterMs: number;
}

const FINE: Faults = { cut: false, toServer: "pass", toClient: "pass", delayMs: 0, jitterMs: 0 };

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Starts a proxy in this process, on a free port of 127.0.0.1. */
export async function startProxy({ target, seed = 1 }: ProxyOptions): Promise<Proxy> {
  const chance = chanceFrom(seed);
  const pairs = new Set<Pair>();
  let faults = FINE;
  const weather = (direction: Direction) => () => ({
    mode: faults[direction],
    delayMs: () => faults.delayMs + (faults.jitterMs === 0 ? 0 : faults.jitterMs * chance()),
  });

  const join = (client: Socket): void => {
    client.on("error", () => {});
    if (faults.cut) {
      client.resetAndDestroy();
      return;
    }
    client.setNoDelay(true);
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const lanes = [
      lane({ from: client, to: server, weather: weather("toServer") }),
      lane({ from: server, to: client, weather: weather("toClient") }),
    ];
    const pair = { client, server, lanes };
    pairs.add(pair);
    const leave = (): void => {
      if (client.destroyed && server.destroyed) pairs.delete(pair);
    };
    client.once("close", leave);
    server.once("close", leave);
  };

  const breakAll = (which: (pair: Pair) => boolean): void => {
    for (const pair of [...pairs].filter(which)) {
      pairs.delete(pair);
      pair.client.resetAndDestroy();
      pair.server.resetAndDestroy();
    }
  };

  const become = (next: Partial<Faults>): void => {
    faults = { ...FINE, ...next };
    if (faults.cut) breakAll(() => true);
    for (const { lanes } of pairs) for (const each of lanes) each.wake();
  };

  const listener = createServer({ allowHalfOpen: true }, join);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const lostBy = ({ lanes }: Pair) => lanes.reduce((sum, each) => sum + each.lost(), 0);
  return {
    port: (listener.address() as AddressInfo).port,
    cut: () => become({ cut: true }),
    blackhole: () => become({ toServer: "hold", toClient: "hold" }),
    stall: (direction) => become({ [direction]: "hold" }),
    dropReplies: () => become({ toClient: "drop" }),
    delay: (ms, jitterMs = 0) => become({ delayMs: ms, jitterMs }),
    resume: () => {
      breakAll((pair) => lostBy(pair) > 0);
      become({});
    },
    connections: () => pairs.size,
    lostBytes: () => [...pairs].reduce((sum, pair) => sum + lostBy(pair), 0),
    stop: () => {
      const closed = close(listener);
      breakAll(() => true);
      return closed;
    },
  };
}
