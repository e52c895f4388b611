import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Customer360Error } from "../errors.ts";

/** Listens, and answers where. Throws PORT_IN_USE, or SETTINGS_INVALID for an address that cannot be listened on. */
export async function listen(server: Server, host: string, port: number): Promise<{ readonly url: string }> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(explained(error, host, port));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
  const { port: taken } = server.address() as AddressInfo;
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${taken}` };
}

/** Throws what `listen` throws, before anything was done in vain; a port that is taken in the meantime is found by `listen`. */
export async function guardPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await listen(server, host, port);
  await new Promise((resolve) => server.close(resolve));
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Customer360Error(
      "PORT_IN_USE",
      `port ${port} of ${host} is in use: stop the program that uses it, or choose another with --port or PORT`,
      { cause: error },
    );
  }
  return new Customer360Error(
    "SETTINGS_INVALID",
    `cannot listen on ${host}, port ${port}: ${error.message}`,
    { cause: error },
  );
}
