import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A wire to a server, and what can be done to it. */
export interface Wire {
  readonly port: number;
  /** What the next answer is, nobody learns: it is swallowed, and its connection cut. Resolves when that happened. */
  loseNextAnswer(): Promise<void>;
  /** From now on nothing passes in either direction, and nobody is told: the connections stay open. */
  hang(): void;
  /** Everything passes again, on new connections. */
  heal(): void;
  close(): Promise<void>;
}

/** Lays a wire to a port of 127.0.0.1. */
export async function layWire(to: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isHanging = false;
  let swallow: (() => void) | null = null;
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => void (isHanging || far.write(bytes)));
    far.on("data", (bytes) => {
      if (isHanging) return;
      if (swallow === null) return void near.write(bytes);
      const done = swallow;
      swallow = null;
      near.destroy();
      done();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of [...sockets]) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    loseNextAnswer: () => new Promise((resolve) => (swallow = resolve)),
    hang: () => void (isHanging = true),
    heal: () => {
      isHanging = false;
      cut();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
