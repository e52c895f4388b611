import { defineConfig } from "vitest/config";

/** The engine benchmark by itself: `npm test` does not take it along. */
export default defineConfig({
  test: { include: ["test/engine/*.run.ts"], pool: "forks", maxWorkers: 1, root: "." },
});
