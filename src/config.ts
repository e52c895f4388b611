import { resolve } from "node:path";
import { z } from "zod";
import { Customer360Error } from "./errors.ts";
import type { LogLevel } from "./log.ts";

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
  /** Such as `https://bank.example`; null for none. */
  readonly allowedOrigins: readonly string[] | null;
  /** Signs cursors; null for one kept in the data directory. */
  readonly cursorSecret: string | null;
  readonly role: Role;
  /** `host:port` of each; null when records do not come from Kafka. */
  readonly kafkaBrokers: readonly string[] | null;
  readonly kafkaGroup: string | null;
  readonly kafkaInstance: string | null;
  readonly kafkaTls: boolean;
  readonly kafkaCaFile: string | null;
  readonly kafkaCertFile: string | null;
  readonly kafkaKeyFile: string | null;
  readonly kafkaKeyPassphrase: string | null;
  readonly kafkaSasl: SaslMechanism | null;
  readonly kafkaUsername: string | null;
  readonly kafkaPassword: string | null;
  readonly kafkaTokenUrl: string | null;
  readonly mongodbUri: string | null;
  readonly redisUrl: string | null;
  readonly redisCaFile: string | null;
  readonly redisStreams: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}

/** How `start` logs: JSON, lines for people, or by whether a person watches. */
export type LogFormat = "auto" | "json" | "line";

/** What a process does: apply changes, answer clients, or both. */
export type Role = "all" | "ingest" | "api";

/** How a client proves who it is to Kafka. */
export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER";

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

const brokers = z
  .string()
  .transform((list) => list.split(",").map((one) => one.trim()))
  .refine(
    (list) => list.every((one) => /^(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d{1,5}$/.test(one)),
    "is no list of host:port",
  );

const origins = z
  .string()
  .transform((list) => list.split(",").map((one) => one.trim()))
  .refine(
    (list) => list.every((one) => URL.canParse(one) && new URL(one).origin === one),
    "is no list of origins such as https://bank.example",
  );

/** A setting known to the environment only, without a fallback. */
function text<T extends z.ZodType = z.ZodString>(
  env: string,
  about: string,
  { secret = false, shape }: { readonly secret?: boolean; readonly shape?: T } = {},
) {
  return { env, option: null, about, fallback: null, secret, shape: shape ?? z.string() };
}

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
  allowedOrigins: text(
    "ALLOWED_ORIGINS",
    "Pages of other origins that may use the API, such as https://bank.example, comma-separated.",
    { shape: origins },
  ),
  cursorSecret: {
    env: "CURSOR_SECRET",
    option: null,
    about:
      "Signs subscription cursors, at least 32 characters. Without it one is made and kept in the data directory.",
    fallback: null,
    secret: true,
    shape: z.string().min(32, "is shorter than 32 characters"),
  },
  role: {
    env: "ROLE",
    option: "role",
    about: "What this process does: all, ingest or api. Anything but all needs MONGODB_URI and REDIS_URL.",
    fallback: "all",
    secret: false,
    shape: z.enum(["all", "ingest", "api"], "is none of all, ingest, api"),
  },
  kafkaBrokers: text(
    "KAFKA_BROKERS",
    "Reads records from Kafka: host:port of its brokers, comma-separated.",
    {
      shape: brokers,
    },
  ),
  kafkaGroup: text("KAFKA_GROUP", "Consumer group; customer360-<name of the pipeline> when not given."),
  kafkaInstance: text(
    "KAFKA_INSTANCE",
    "Name of this process in its group, its own and kept over restarts: after a kill it goes on at once.",
  ),
  kafkaTls: {
    ...text("KAFKA_TLS", "Whether connections to Kafka are encrypted: true or false.", { shape: flag }),
    fallback: "false",
  },
  kafkaCaFile: text("KAFKA_CA_FILE", "PEM file of the authorities to trust, if not those of the system."),
  kafkaCertFile: text("KAFKA_CERT_FILE", "PEM file of the client's certificate, for mutual TLS."),
  kafkaKeyFile: text("KAFKA_KEY_FILE", "PEM file of the client's key."),
  kafkaKeyPassphrase: text("KAFKA_KEY_PASSPHRASE", "Opens the client's key.", { secret: true }),
  kafkaSasl: text("KAFKA_SASL", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.", {
    shape: z.enum(
      ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
      "is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
    ),
  }),
  kafkaUsername: text("KAFKA_USERNAME", "User, or for OAUTHBEARER the client id."),
  kafkaPassword: text("KAFKA_PASSWORD", "Password, or for OAUTHBEARER the client secret.", { secret: true }),
  kafkaTokenUrl: text("KAFKA_TOKEN_URL", "Where OAUTHBEARER gets its tokens (client credentials).", {
    shape: z.url({ protocol: /^https?$/, error: "is no http or https address" }),
  }),
  mongodbUri: text("MONGODB_URI", "Keeps customers in MongoDB: mongodb://host/database with options.", {
    secret: true,
    shape: z.string().regex(/^mongodb(\+srv)?:\/\/./, "begins with neither mongodb:// nor mongodb+srv://"),
  }),
  redisUrl: text(
    "REDIS_URL",
    "Sends updates through Redis Streams: redis://, rediss://, sentinels or cluster.",
    {
      secret: true,
    },
  ),
  redisCaFile: text("REDIS_CA_FILE", "PEM file of the authorities to trust, if not those of the system."),
  redisStreams: {
    ...text(
      "REDIS_STREAMS",
      "How many Redis Streams share the updates, 1 to 64; the same for all processes, and not to be changed later.",
      {
        shape: z
          .string()
          .regex(/^([1-9]|[1-5]\d|6[0-4])$/, "is no number from 1 to 64")
          .transform(Number),
      },
    ),
    fallback: "1",
  },
  logFormat: {
    ...text("LOG_FORMAT", "How start logs: json, line, or auto for line on a terminal and json elsewhere.", {
      shape: z.enum(["auto", "json", "line"], "is none of auto, json, line"),
    }),
    fallback: "auto",
  },
  logLevel: {
    ...text("LOG_LEVEL", "The least that start logs: info, warn or error.", {
      shape: z.enum(["info", "warn", "error"], "is none of info, warn, error"),
    }),
    fallback: "info",
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

/** What must not be printed: the values of secret settings, and the passwords in addresses, as given and decoded. */
export function readSecrets(environment = process.env): readonly string[] {
  const values = SETTINGS.filter(({ secret }) => secret).flatMap(({ env }) => environment[env] || []);
  const passwords = values.flatMap((value) => /^[\w+]+:\/\/[^/]*?:(.+)@/.exec(value)?.[1] ?? []);
  return [...values, ...passwords, ...passwords.map(decoded)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Names of the variables that say something. */
export function namesGiven(environment = process.env): readonly string[] {
  return Object.keys(environment).filter((name) => (environment[name] ?? "") !== "");
}

/** True unless NO_COLOR asks for plain text. */
export function colorWanted(environment = process.env): boolean {
  return (environment["NO_COLOR"] ?? "") === "";
}
