import { createServer } from "node:http";
import { listen } from "./listening.ts";
import { createProbes, json, pathOf, type Status } from "./probes.ts";

/** The HTTP server of a process that serves no customers. */
export interface ProbeServer {
  /** Throws PORT_IN_USE, or SETTINGS_INVALID for an address that cannot be listened on. */
  listen(host: string, port: number): Promise<{ readonly url: string }>;
  /** Safe to repeat. */
  close(): Promise<void>;
}

/** Serves nothing but what a process tells about itself. */
export function createProbeServer(status: Status): ProbeServer {
  const probes = createProbes(status);
  const server = createServer((request, response) => {
    const path = pathOf(request);
    response.setHeader("cache-control", "no-store");
    if (probes.paths.includes(path))
      Promise.resolve(probes.answer(path, response)).catch(() => response.destroy());
    else
      json(response, 404, {
        error: `There is ${probes.paths.join(", ")}: this process serves no customers.`,
      });
  });
  server.requestTimeout = 10_000;
  return {
    listen: (host, port) => listen(server, host, port),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
