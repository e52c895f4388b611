import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import { connectionsOf, type Connections } from "../../src/connections.ts";

const directory = mkdtempSync(join(tmpdir(), "connections-"));
afterAll(() => rmSync(directory, { recursive: true }));

const SECRET = "0123456789abcdef0123456789abcdef";
const chosen = (environment: Record<string, string>): Connections =>
  connectionsOf(readSettings({}, environment));
const faults = (environment: Record<string, string>): string => {
  try {
    chosen(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("accepted");
};

describe("connections", () => {
  test("without addresses everything is embedded, and nothing is read", () => {
    expect(chosen({})).toEqual({ source: null, store: { kind: "embedded" }, updates: { kind: "embedded" } });
  });

  test("each address chooses its own adapter", () => {
    const kinds = (environment: Record<string, string>) => {
      const { source, store, updates } = chosen(environment);
      return [source?.kind, store.kind, updates.kind];
    };
    expect(kinds({ KAFKA_BROKERS: "k:9092" })).toEqual(["kafka", "embedded", "embedded"]);
    expect(kinds({ RECORDS_DIR: "r", REDIS_URL: "redis://h" })).toEqual(["files", "embedded", "redis"]);
    expect(kinds({ MONGODB_URI: "mongodb://h/bank", CURSOR_SECRET: SECRET })).toEqual([
      undefined,
      "mongodb",
      "embedded",
    ]);
  });

  test("a process with half a role is told everything it lacks", () => {
    const message = faults({ ROLE: "api" });
    expect(message).toContain("MONGODB_URI is missing: --role api shares its store");
    expect(message).toContain("REDIS_URL is missing: --role api shares its updates");
    expect(faults({ ROLE: "ingest" })).toContain("there is nothing to ingest");
    expect(faults({ MONGODB_URI: "mongodb://h/bank" })).toContain("CURSOR_SECRET is missing");
  });

  test("an api process reads no records", () => {
    const environment = { MONGODB_URI: "mongodb://h/b", REDIS_URL: "redis://h", CURSOR_SECRET: SECRET };
    expect(chosen({ ...environment, ROLE: "api", KAFKA_BROKERS: "k:9092" }).source).toBeNull();
  });

  test("certificates are read from the files named, and every file that cannot be is told", () => {
    const file = (name: string) => {
      writeFileSync(join(directory, name), name);
      return join(directory, name);
    };
    const kafka = { KAFKA_BROKERS: "k:9092", KAFKA_TLS: "true" };
    const tls = { KAFKA_CA_FILE: file("ca"), KAFKA_CERT_FILE: file("cert"), KAFKA_KEY_FILE: file("key") };
    expect(chosen({ ...kafka, ...tls }).source).toMatchObject({
      security: { tls: { ca: "ca", certificate: { cert: "cert", key: "key" } }, sasl: null },
    });
    const nowhere = join(directory, "nowhere");
    const message = faults({ ...kafka, KAFKA_CA_FILE: nowhere, KAFKA_CERT_FILE: nowhere });
    expect(message).toContain("KAFKA_CA_FILE: ");
    expect(message).toContain("KAFKA_CERT_FILE and KAFKA_KEY_FILE come together");
    expect(faults({ KAFKA_BROKERS: "k:9092", KAFKA_CA_FILE: nowhere })).toContain("KAFKA_TLS is not true");
  });

  test("a login without its other half, or without a way to use it, is refused", () => {
    const kafka = { KAFKA_BROKERS: "k:9092" };
    expect(faults({ ...kafka, KAFKA_SASL: "PLAIN", KAFKA_USERNAME: "me" })).toContain("KAFKA_PASSWORD");
    expect(faults({ ...kafka, KAFKA_PASSWORD: "hunter2" })).toContain("KAFKA_SASL");
    expect(faults({ ...kafka, KAFKA_PASSWORD: "hunter2" })).not.toContain("hunter2");
    const login = { KAFKA_USERNAME: "me", KAFKA_PASSWORD: "hunter2" };
    expect(chosen({ ...kafka, KAFKA_SASL: "SCRAM-SHA-512", ...login }).source).toMatchObject({
      security: { tls: null, sasl: { mechanism: "SCRAM-SHA-512", username: "me", password: "hunter2" } },
    });
    expect(faults({ ...kafka, KAFKA_SASL: "OAUTHBEARER", ...login })).toContain("KAFKA_TOKEN_URL");
  });

  test("a process has the name in its group that it was given, and none otherwise", () => {
    const kafka = { KAFKA_BROKERS: "k:9092" };
    expect(chosen({ ...kafka, KAFKA_INSTANCE: "ingest-1" }).source).toMatchObject({ instance: "ingest-1" });
    expect(chosen(kafka).source).not.toHaveProperty("instance");
  });

  test("an address of Redis that is none is refused without repeating it", () => {
    expect(faults({ REDIS_URL: "http://me:hunter2@host" })).not.toContain("hunter2");
  });
});
