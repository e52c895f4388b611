import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { ROOT } from "./compose-file.ts";

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

interface Worker {
  readonly url: string;
  readonly asked: { readonly what: string; readonly body: string }[];
}

/** Something that answers as a Connect worker, one answer after the other; the last one for ever. */
async function worker(answers: readonly (readonly [status: number, body: unknown])[]): Promise<Worker> {
  const asked: Worker["asked"] = [];
  const server = createServer((request, response: ServerResponse) => {
    void text(request).then((body) => {
      const [status, answer] = answers[Math.min(asked.length, answers.length - 1)] ?? [500, null];
      asked.push({ what: `${request.method} ${request.url}`, body });
      response.writeHead(status, { connection: "close" }).end(JSON.stringify(answer));
    });
  }).listen(0, "127.0.0.1");
  closing.push(() => server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Runs what the compose file runs. */
async function register(url: string): Promise<{ readonly code: unknown; readonly said: string }> {
  const script = join(ROOT, "deploy/register-connector.mjs");
  const child = spawn(process.execPath, [script, url, "bank", join(ROOT, "deploy/connector.json")]);
  const said = text(child.stderr);
  const [code] = (await once(child, "close")) as [unknown];
  return { code, said: await said };
}

const running = { tasks: [{ state: "RUNNING" }] };

describe("the registration of the connector", () => {
  test("goes on while the worker is rebalancing and until the task runs", async () => {
    const { url, asked } = await worker([
      [409, { message: "rebalancing" }],
      [201, {}],
      [404, { message: "no status yet" }],
      [200, { tasks: [] }],
      [200, running],
    ]);
    expect(await register(url)).toMatchObject({ code: 0 });
    expect(asked.map(({ what }) => what)).toEqual([
      ...Array.from({ length: 2 }, () => "PUT /connectors/bank/config"),
      ...Array.from({ length: 3 }, () => "GET /connectors/bank/status"),
    ]);
    expect(JSON.parse(asked[1]?.body ?? "")).toMatchObject({ "topic.prefix": "bank" });
  });

  test("ends with what the worker says when it refuses the settings", async () => {
    const { url } = await worker([[400, { message: "no such plug-in" }]]);
    const { code, said } = await register(url);
    expect(code).toBe(1);
    expect(said).toContain("no such plug-in");
  });

  test("ends with the reason when the connector fails", async () => {
    const { url } = await worker([
      [200, {}],
      [200, { tasks: [{ state: "FAILED", trace: "wal_level is replica" }] }],
    ]);
    const { code, said } = await register(url);
    expect(code).toBe(1);
    expect(said).toContain("wal_level is replica");
  });
});
