import { defineConfig } from "vitest/config";

/** The run of faults by itself: `npm test` does not take it along. */
export default defineConfig({
  test: { include: ["test/faults/*.run.ts"], pool: "forks", maxWorkers: 1, root: "." },
});
