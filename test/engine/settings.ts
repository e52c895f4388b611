/** What can be measured by itself. Two processes are compared with the contest, so they come with it. */
export const PARTS = ["contest", "screens", "writes", "steps", "rebuild"] as const;

/** One of them. */
export type Part = (typeof PARTS)[number];

/** What a run is asked for, by the environment (scripts/bench.mjs sets it from options). */
export interface Settings {
  /** How often each contender has its turn with each workload. */
  readonly rounds: number;
  /** Changes of one turn. */
  readonly records: number;
  /** Changes of the rebuild. */
  readonly rebuild: number;
  /** Seconds of each rate at which latency is taken. */
  readonly seconds: number;
  /** What is measured; default everything. */
  readonly only: ReadonlySet<Part>;
  /** Where the figures go. */
  readonly json: string;
}

function number(environment: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = environment[name] ?? "";
  if (text === "") return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} is no whole number: ${text}`);
  return value;
}

function parts(environment: NodeJS.ProcessEnv, name: string): ReadonlySet<Part> {
  const words = (environment[name] ?? "").split(",").filter((word) => word !== "");
  const unknown = words.find((word) => !PARTS.some((part) => part === word));
  if (unknown !== undefined)
    throw new Error(`${name}: there is no ${unknown}; there are ${PARTS.join(", ")}`);
  return new Set(words.length === 0 ? PARTS : PARTS.filter((part) => words.includes(part)));
}

/** Reads CUSTOMER360_ENGINE_*; throws for what makes no sense. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return {
    rounds: number(environment, "CUSTOMER360_ENGINE_ROUNDS", 3),
    records: number(environment, "CUSTOMER360_ENGINE_RECORDS", 20_000),
    rebuild: number(environment, "CUSTOMER360_ENGINE_REBUILD", 200_000),
    seconds: number(environment, "CUSTOMER360_ENGINE_SECONDS", 6),
    only: parts(environment, "CUSTOMER360_ENGINE_ONLY"),
    json: environment["CUSTOMER360_ENGINE_JSON"] || "engine-results.json",
  };
}
