import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** Where a benchmark ran, and on what. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Runnable processes on average over the minute before: above zero, something else was running. */
  readonly load: number;
  /** This package and the libraries its speed depends on. */
  readonly versions: Readonly<Record<string, string>>;
}

const LIBRARIES = ["graphql", "graphql-yoga", "graphql-ws", "ws", "libsql"];

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Describes this machine now. */
export function thisMachine(): Machine {
  const file = new URL("../../package.json", import.meta.url);
  const { version, dependencies } = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const [first] = cpus();
  const libraries = LIBRARIES.map((name) => [name, dependencies[name] ?? "?"]);
  return {
    processor: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    versions: { customer360: version, ...(Object.fromEntries(libraries) as Record<string, string>) },
  };
}

/** One line about a machine. */
export function inOneLine({ processor, cores, memoryGb, system, node, load, versions }: Machine): string {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${processor}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}, load before ${load}; ${libraries.join(", ")}`;
}
