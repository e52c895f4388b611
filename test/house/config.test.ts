import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { colorWanted, readSettings, SETTINGS } from "../../src/config.ts";
import { codeOf } from "../../src/errors.ts";

function faultsOf(environment: Record<string, string>): string {
  try {
    readSettings({}, environment);
  } catch (error) {
    expect(codeOf(error)).toBe("SETTINGS_INVALID");
    return (error as Error).message;
  }
  throw new Error("accepted");
}

describe("settings", () => {
  test("an empty environment gives the defaults", () => {
    expect(readSettings({}, {})).toEqual({
      port: 4000,
      host: "127.0.0.1",
      dataDir: resolve(".customer360"),
      pipeline: null,
      recordsDir: null,
      graphiql: true,
      allowedOrigins: null,
      cursorSecret: null,
      role: "all",
      kafkaBrokers: null,
      kafkaGroup: null,
      kafkaInstance: null,
      kafkaTls: false,
      kafkaCaFile: null,
      kafkaCertFile: null,
      kafkaKeyFile: null,
      kafkaKeyPassphrase: null,
      kafkaSasl: null,
      kafkaUsername: null,
      kafkaPassword: null,
      kafkaTokenUrl: null,
      mongodbUri: null,
      redisUrl: null,
      redisCaFile: null,
      redisStreams: 1,
      logFormat: "auto",
      logLevel: "info",
    });
  });

  test("brokers are a list of host:port, and what is none is refused", () => {
    expect(readSettings({}, { KAFKA_BROKERS: "a:9092, [::1]:9093" }).kafkaBrokers).toEqual([
      "a:9092",
      "[::1]:9093",
    ]);
    for (const brokers of ["kafka", "a:9092,", "a:b", "kafka://a:9092"])
      expect(faultsOf({ KAFKA_BROKERS: brokers })).toContain("is no list of host:port");
  });

  test("origins are as browsers name them: scheme, host and port, and nothing else", () => {
    expect(
      readSettings({}, { ALLOWED_ORIGINS: "https://bank.example, http://localhost:5173" }).allowedOrigins,
    ).toEqual(["https://bank.example", "http://localhost:5173"]);
    for (const list of ["*", "null", "bank.example", "https://bank.example/", "https://bank.example,"])
      expect(faultsOf({ ALLOWED_ORIGINS: list })).toContain("is no list of origins");
  });

  test("an empty variable is an absent one", () => {
    expect(readSettings({}, { PORT: "", HOST: "", CURSOR_SECRET: "" })).toEqual(readSettings({}, {}));
  });

  test("an option overrides the environment", () => {
    expect(readSettings({ port: "81" }, { PORT: "82", HOST: "::1" })).toMatchObject({
      port: 81,
      host: "::1",
    });
  });

  test("all faults are told at once, by the name the value came from", () => {
    const message = faultsOf({ PORT: "eighty", GRAPHIQL: "maybe", CURSOR_SECRET: "short" });
    expect(message).toContain('PORT ("eighty") is not a port number');
    expect(message).toContain('GRAPHIQL ("maybe") is neither true nor false');
    expect(message).toContain("CURSOR_SECRET is shorter than 32 characters");
    expect(() => readSettings({ port: "70000" }, {})).toThrow('--port ("70000") is not a port number');
  });

  test("a secret is never part of a message", () => {
    expect(faultsOf({ CURSOR_SECRET: "hunter2" })).not.toContain("hunter2");
    expect(faultsOf({ MONGODB_URI: "https://me:hunter2@host" })).not.toContain("hunter2");
  });

  test("NO_COLOR turns colours off, unless it is empty", () => {
    expect([colorWanted({}), colorWanted({ NO_COLOR: "" }), colorWanted({ NO_COLOR: "1" })]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("the operations guide lists every setting with its default", () => {
    const guide = readFileSync(resolve(import.meta.dirname, "../../docs/OPERATIONS.md"), "utf8");
    for (const { env, option, about, fallback, secret } of SETTINGS) {
      const cells = [
        `\`${env}\``,
        option === null ? "" : `\`--${option}\``,
        fallback ?? "",
        secret ? "secret" : "",
      ];
      const row = guide.split("\n").find((line) => line.startsWith(`| \`${env}\``));
      expect(row, env).toBeDefined();
      for (const cell of cells) expect(row).toContain(cell);
      expect(row).toContain(about);
    }
  });
});
