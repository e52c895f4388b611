import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exposition } from "../metrics.ts";

/** How a process is doing. */
export interface Status {
  /** Why it is not able to do its work, in plain words: not connected, catching up, stopping. Empty while it is. */
  reasons(): readonly string[];
  /** What somebody should look at although it works. */
  warnings?(): readonly string[];
  /** What it counted; without it there is no `/metrics`. */
  metrics?(): Promise<Exposition>;
}

/** What a process answers about itself rather than about its customers. */
export interface Probes {
  readonly paths: readonly string[];
  answer(path: string, response: ServerResponse): Promise<void> | void;
}

/** `/healthz`: the process runs. `/readyz`: it does its work, or why not. `/metrics`: what it counted. */
export function createProbes(status: Status): Probes {
  return {
    paths: ["/healthz", "/readyz", ...(status.metrics === undefined ? [] : ["/metrics"])],
    answer(path, response) {
      if (path === "/healthz") return json(response, 200, { status: "ok" });
      if (path === "/metrics") return expose(status, response);
      const reasons = status.reasons();
      const warnings = status.warnings?.() ?? [];
      const ready = reasons.length === 0;
      return json(response, ready ? 200 : 503, { ready, reasons, ...(warnings.length > 0 && { warnings }) });
    },
  };
}

async function expose(status: Status, response: ServerResponse): Promise<void> {
  const exposition = await status.metrics?.();
  response.setHeader("content-type", exposition?.contentType ?? "text/plain");
  response.end(exposition?.text);
}

/** The path of a request, without its query. */
export function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, content: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(`${JSON.stringify(content)}\n`);
}
