import { resolve } from "node:path";
import { z } from "zod";
import { Customer360Error } from "./errors.ts";

/** One setting, as the environment, the command line and docs/OPERATIONS.md know it. */
export interface Setting {
  /** Name of the environment variable. */
  readonly env: string;
  /** Long name of the option that overrides it, without dashes; null when there is none. */
  readonly option: string | null;
  readonly about: string;
  /** Text used when neither is given; null for none. */
  readonly fallback: string | null;
  /** True for values that are never printed. */
  readonly secret: boolean;
}

/** Settings of a running server, read and checked. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** Path of the pipeline file; null when none was given. */
  readonly pipeline: string | null;
  /** Folder watched for records; null when none was given. */
  readonly recordsDir: string | null;
  readonly graphiql: boolean;
  /** Signs cursors; null for one kept in the data directory. */
  readonly cursorSecret: string | null;
}

interface Declared extends Setting {
  readonly shape: z.ZodType;
}

const port = z
  .string()
  .regex(/^\d{1,5}$/, "is not a port number")
  .transform(Number)
  .refine((value) => value <= 65_535, "is not a port number");

const flag = z
  .enum(["true", "false", "1", "0"], "is neither true nor false")
  .transform((value) => value === "true" || value === "1");

const DECLARED = {
  port: {
    env: "PORT",
    option: "port",
    about: "Port to listen on; 0 takes a free one.",
    fallback: "4000",
    secret: false,
    shape: port,
  },
  host: {
    env: "HOST",
    option: "host",
    about: "Address to listen on. Anything but loopback needs --insecure.",
    fallback: "127.0.0.1",
    secret: false,
    shape: z.string(),
  },
  dataDir: {
    env: "DATA_DIR",
    option: "data-dir",
    about: "Directory of the embedded store; one process at a time.",
    fallback: ".customer360",
    secret: false,
    shape: z.string().transform((path) => resolve(path)),
  },
  pipeline: {
    env: "PIPELINE",
    option: "pipeline",
    about: "The pipeline file.",
    fallback: null,
    secret: false,
    shape: z.string(),
  },
  recordsDir: {
    env: "RECORDS_DIR",
    option: "records",
    about: "Directory watched for files of records.",
    fallback: null,
    secret: false,
    shape: z.string(),
  },
  graphiql: {
    env: "GRAPHIQL",
    option: null,
    about: "Whether a browser that opens /graphql gets GraphiQL: true or false.",
    fallback: "true",
    secret: false,
    shape: flag,
  },
  cursorSecret: {
    env: "CURSOR_SECRET",
    option: null,
    about:
      "Signs subscription cursors, at least 32 characters. Without it one is made and kept in the data directory.",
    fallback: null,
    secret: true,
    shape: z.string().min(32, "is shorter than 32 characters"),
  },
} as const satisfies Readonly<Record<keyof Settings, Declared>>;

/** Every setting there is, for documentation and its test. */
export const SETTINGS: readonly Setting[] = Object.values(DECLARED);

/** Values given on the command line, by setting; they override the environment. */
export type Overrides = Partial<Readonly<Record<keyof Settings, string | undefined>>>;

/**
 * Reads all settings. An empty variable counts as absent. Throws SETTINGS_INVALID naming every fault at once; values of
 * secrets are never part of the message.
 */
export function readSettings(overrides: Overrides = {}, environment = process.env): Settings {
  const faults: string[] = [];
  const read = (name: keyof Settings): unknown => {
    const setting: Declared = DECLARED[name];
    const option = overrides[name];
    const given = option ?? (environment[setting.env] || undefined);
    const text = given ?? setting.fallback;
    if (text === null) return null;
    const parsed = setting.shape.safeParse(text);
    if (parsed.success) return parsed.data;
    const label = option === undefined ? setting.env : `--${setting.option}`;
    const shown = setting.secret ? "" : ` (${JSON.stringify(text)})`;
    faults.push(...parsed.error.issues.map(({ message }) => `${label}${shown} ${message}`));
    return null;
  };
  const names = Object.keys(DECLARED) as (keyof Settings)[];
  const values = Object.fromEntries(names.map((name) => [name, read(name)]));
  if (faults.length > 0) {
    throw new Customer360Error(
      "SETTINGS_INVALID",
      `settings:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
  }
  return values as unknown as Settings;
}

/** True unless NO_COLOR asks for plain text. */
export function colorWanted(environment = process.env): boolean {
  return (environment["NO_COLOR"] ?? "") === "";
}
