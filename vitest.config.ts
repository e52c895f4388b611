import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const onServers = ["test/**/*.{server,e2e}.test.ts"];

// Vite would pick the `module` build of graphql where Node, and with it every dependency, picks `main`: two copies.
const resolve = {
  alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }],
};

/** A condition that is waited for may take as long on a busy machine; one that never holds fails all the same. */
const poll = { timeout: 20_000 };

/** Two workers for two cores: more would only take time from the tests that watch the clock of the machine. */
export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      {
        resolve,
        test: {
          name: "alone",
          include: ["test/**/*.test.ts"],
          exclude: onServers,
          maxWorkers: 2,
          testTimeout: 30_000,
          expect: { poll },
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        // Last, and one file after the other: a suite that kills servers wants both cores for the servers.
        test: {
          name: "servers",
          include: onServers,
          maxWorkers: 1,
          testTimeout: 120_000,
          expect: { poll },
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
