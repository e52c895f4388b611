import { PLANTS } from "./plants.ts";
import { KINDS, type Kind } from "./schedule.ts";

/** What a run is asked for, by the environment. */
export interface Settings {
  readonly changes: number;
  readonly faults: number;
  readonly seed: number;
  readonly kinds: readonly Kind[] | null;
  /** A fault of the harness's own, which the run has to find. */
  readonly plant: string | null;
}

function number(environment: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no whole number: ${text}`);
  return value;
}

/** Reads CUSTOMER360_FAULTS_*; throws for what makes no sense. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const kinds = environment["CUSTOMER360_FAULTS_KINDS"]?.split(",").filter(Boolean) ?? [];
  const unknown = kinds.filter((kind) => !(kind in KINDS));
  if (unknown.length > 0)
    throw new Error(`no kinds of faults: ${unknown.join()}; there are ${Object.keys(KINDS).join()}`);
  const plant = environment["CUSTOMER360_FAULTS_PLANT"] || null;
  if (plant !== null && !PLANTS.has(plant))
    throw new Error(`no plant ${plant}; there are ${[...PLANTS.keys()].join(", ")}`);
  return {
    changes: number(environment, "CUSTOMER360_FAULTS_CHANGES", 1_000_000),
    faults: number(environment, "CUSTOMER360_FAULTS_COUNT", 100),
    seed: number(environment, "CUSTOMER360_FAULTS_SEED", 1),
    kinds: kinds.length === 0 ? null : (kinds as Kind[]),
    plant,
  };
}
