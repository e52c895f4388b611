import { defineConfig } from "vitest/config";

/** Two workers for two cores: more would only take time from the tests that watch the clock of the machine. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
