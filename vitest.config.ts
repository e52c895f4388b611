import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Two workers for two cores: more would only take time from the tests that watch the clock of the machine. */
export default defineConfig({
  // Vite would pick the `module` build of graphql where Node, and with it every dependency, picks `main`: two copies.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }] },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
