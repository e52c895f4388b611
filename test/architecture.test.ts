import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  adaptersApart,
  adaptersInApp,
  direction,
  documented,
  noBarrels,
  noCycles,
  oneClientFile,
  purity,
  safeStreams,
  style,
  type Files,
  type Rule,
} from "./house/rules.ts";

const root = join(import.meta.dirname, "..");

function sources(): Files {
  const names = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const files = names
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/${name.replaceAll("\\", "/")}`);
  return new Map(files.sort().map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

const RULES: readonly (readonly [law: string, rule: Rule, violations: readonly Files[]])[] = [
  [
    "imports point from the shell to the core",
    direction,
    [
      new Map([["src/cdc/decode.ts", 'import type { Plan } from "../customer/plan.ts";']]),
      new Map([["src/store/sqlite/store.ts", 'import { createPipeline } from "../../ingest/pipeline.ts";']]),
      new Map([["src/resolvers/customers.ts", 'import { buildSchema } from "../schema/schema.ts";']]),
      new Map([["src/ingest/pipeline.ts", 'export type { App } from "../app.ts";']]),
    ],
  ],
  [
    "cdc and customer are pure",
    purity,
    [
      new Map([["src/cdc/decode.ts", 'import { z } from "zod";']]),
      new Map([["src/customer/fold.ts", 'import { createHash } from "node:crypto";']]),
      new Map([["src/customer/fold.ts", "const now = Date.now();"]]),
      new Map([["src/cdc/columns/times.ts", "const now = new Date();"]]),
      new Map([["src/cdc/columns/values.ts", "if (x) console.log(x);"]]),
      new Map([["src/customer/ties.ts", "return Math.random() < 0.5;"]]),
    ],
  ],
  [
    "no import cycles, types included",
    noCycles,
    [
      new Map([
        ["src/cdc/a.ts", 'import type { B } from "./b.ts";'],
        ["src/cdc/b.ts", 'import { c } from "./c.ts";'],
        ["src/cdc/c.ts", 'export { a } from "./a.ts";'],
      ]),
    ],
  ],
  [
    "one public entry, by name",
    noBarrels,
    [
      new Map([["src/cdc/index.ts", 'export { decode } from "./decode.ts";']]),
      new Map([["src/index.ts", 'export * from "./app.ts";']]),
      new Map([["src/customer/apply.ts", 'export type { Applied } from "./applied.ts";']]),
    ],
  ],
  [
    "a client library is known to one file",
    oneClientFile,
    [
      new Map([["src/store/sqlite/store.ts", 'import Libsql from "libsql";']]),
      new Map([["src/app.ts", 'import { WebSocketServer } from "ws";']]),
      new Map([["src/bench/socket-load.ts", 'import { WebSocket } from "ws";']]),
      new Map([["src/server/http.ts", 'import { createYoga } from "graphql-yoga";']]),
      new Map([["src/updates/redis/updates.ts", 'import { Redis } from "ioredis";']]),
      new Map([["src/ingest/kafka.ts", 'const kafka = await import("kafkajs");']]),
      new Map([["src/ingest/kafka/client/client.ts", 'import codec from "kafkajs-snappy";']]),
    ],
  ],
  [
    "adapters are chosen in adapters.ts alone",
    adaptersInApp,
    [new Map([["src/cli/ingest.ts", 'import { sqliteStore } from "../store/sqlite/store.ts";']])],
  ],
  [
    "an adapter is known to its own folder alone",
    adaptersApart,
    [
      new Map([["src/store/facts.ts", 'import { filterSql } from "./sqlite/reads/filter-sql.ts";']]),
      new Map([
        [
          "src/store/mongo/reads/reads.ts",
          'import type { FilterSql } from "../../sqlite/reads/filter-sql.ts";',
        ],
      ]),
      new Map([
        [
          "src/updates/local/stream.ts",
          'import { sqliteJournal } from "../../store/sqlite/journal/journal.ts";',
        ],
      ]),
      new Map([["src/resolvers/customers.ts", 'import { entryId } from "../updates/redis/place.ts";']]),
      new Map([["src/cli/replay.ts", 'import { lookUpRanges } from "../ingest/kafka/ranges.ts";']]),
    ],
  ],
  [
    "every export says what it is for",
    documented,
    [
      new Map([["src/cdc/a.ts", "export function decode(): void {}"]]),
      new Map([["src/cdc/a.ts", "/** One. */\nexport const one = 1;\nexport const two = 2;"]]),
      new Map([["src/cdc/a.ts", "/* Not a doc comment. */\nexport const one = 1;"]]),
      new Map([["src/cdc/a.ts", "export declare const one: 1;"]]),
    ],
  ],
  [
    "subscriptions are neither pub/sub nor generators",
    safeStreams,
    [
      new Map([["src/server/yoga.ts", "const bus = createPubSub();"]]),
      new Map([["src/resolvers/updates.ts", "export async function* frames() {}"]]),
      new Map([["src/updates/hub.ts", "const hub = { async *read() {} };"]]),
    ],
  ],
  [
    "no escapes from the house style",
    style,
    [
      new Map([["src/a.ts", "const x = y as any;"]]),
      new Map([["src/a.ts", "// @ts-ignore\nconst x = 1;"]]),
      new Map([["src/a.ts", "const x = map.get(1)!.name;"]]),
      new Map([["src/a.ts", "export default 1;"]]),
      new Map([["src/a.ts", "\n".repeat(360)]]),
      new Map([["src/app.ts", "const port = process.env.PORT;"]]),
    ],
  ],
];

describe.each(RULES)("%s", (_law, rule, violations) => {
  test("the sources keep it", () => {
    expect(rule(sources())).toEqual([]);
  });

  test.each(violations.map((files) => [[...files.values()].join(" / ").trim().slice(0, 60), files] as const))(
    "it notices %s",
    (_planted, files) => {
      expect(rule(files)).not.toEqual([]);
    },
  );
});
