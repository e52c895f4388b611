import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Stands between a client and a server, and loses replies. */
export interface LossyProxy {
  readonly port: number;
  /** The reply to the next so many requests that hold these bytes is lost, with its connection, after the server gave it. */
  loseReplies(holding: string, count: number): void;
  /** How many replies were lost. */
  lost(): number;
  close(): Promise<void>;
}

/** Starts one in front of a local port. */
export async function lossyProxy(target: number): Promise<LossyProxy> {
  const sockets = new Set<Socket>();
  let wanted: { readonly bytes: Buffer; left: number } | null = null;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const both = [client, upstream];
    let swallows = false;
    const end = () => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk: Buffer) => {
      if (wanted !== null && wanted.left > 0 && chunk.includes(wanted.bytes)) {
        wanted.left -= 1;
        swallows = true;
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!swallows) return void client.write(chunk);
      lost += 1;
      end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    loseReplies: (holding, count) => {
      wanted = { bytes: Buffer.from(holding, "latin1"), left: count };
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
