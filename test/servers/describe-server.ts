import { afterAll, beforeAll, describe, type TestContext } from "vitest";
import { missing, type ServerName } from "./binaries.ts";
import type { Server, Use } from "./server.ts";

/** What a suite wants to have running. */
export interface Wanted<T> {
  readonly needs: readonly ServerName[];
  /** Starts it, once for the suite. Each server goes through `use`, which sees to its end. */
  readonly start: (use: Use) => Promise<T>;
}

const START_MS = 240_000;

/**
 * A suite on real servers, which run from before its first test to after its last. Where one cannot be had the suite is
 * skipped and says why; with CI=true it fails instead. Its file ends in `.server.test.ts` or `.e2e.test.ts`: such files run
 * one after the other.
 *
 *     describeServer("the updates", { needs: ["redis"], start: (use) => use(startRedis()) }, (redis) => {
 *       test("...", async () => { await connect(redis().url) ... });
 *     });
 */
export function describeServer<T>(title: string, wanted: Wanted<T>, body: (running: () => T) => void): void {
  const reasons = wanted.needs.map(missing).filter((reason) => reason !== null);
  if (reasons.length > 0 && process.env["CI"] !== "true") {
    process.stderr.write(`skipped: ${title}: ${reasons.join("; ")}\n`);
    describe.skip(title, () => body(() => never(title)));
    return;
  }
  describe(title, () => {
    const servers: Server[] = [];
    let running: { readonly value: T } | null = null;
    beforeAll(async () => {
      if (reasons.length > 0) throw new Error(reasons.join("; "));
      const value = await wanted.start(async (starting) => {
        const server = await starting;
        servers.unshift(server);
        return server;
      });
      running = { value };
    }, START_MS);
    afterAll(async () => {
      for (const server of servers) await server.stop();
    }, START_MS);
    body(() => running?.value ?? never(title));
  });
}

function never(title: string): never {
  throw new Error(`${title}: its servers run only while its tests do`);
}

/** Skips a test that kills or freezes, when the server is one that the environment named. */
export function needsOurOwn(context: TestContext, ...servers: readonly Server[]): void {
  if (servers.some(({ ours }) => !ours))
    context.skip("the environment names the server: it must not be killed");
}
