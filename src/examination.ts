import { isEmbedded, kafkaGroup, type AdapterOptions } from "./adapters.ts";
import type { Clock } from "./clock.ts";
import { reportOn, type Finding, type Report } from "./doctor/report.ts";
import { unreachable } from "./errors.ts";
import { findFiles } from "./ingest/files/folder.ts";
import { namesake } from "./ingest/files/names.ts";
import type { Checkpoint } from "./ingest/source.ts";
import { examineDirectory } from "./store/sqlite/examine.ts";

/** What is looked at, and how long it may take. */
export interface ExaminationOptions extends Omit<AdapterOptions, "fresh"> {
  readonly clock: Clock;
  /** For each component, milliseconds. */
  readonly deadlineMs: number;
  /** Ends the examination early. */
  readonly signal: AbortSignal;
  /** Told of each finding as it is made. */
  readonly take: (finding: Finding) => void;
}

/**
 * Looks at every component that a process with these settings would use, and changes none. Failures are findings: nothing is thrown
 * but bugs. The store comes first, for Kafka is held against the checkpoints it has.
 */
export async function examine(options: ExaminationOptions): Promise<void> {
  const checkpoints = await examineStores(options);
  await Promise.all([examineSource(options, checkpoints), examineUpdates(options)]);
}

/** Null when the store could not be asked. */
async function examineStores(options: ExaminationOptions): Promise<readonly Checkpoint[] | null> {
  const { store, dataDir, clock } = options;
  let found: readonly Checkpoint[] | null = null;
  if (isEmbedded(options))
    await within("data directory", options, (report) => {
      found = examineDirectory(dataDir, report);
      return Promise.resolve();
    });
  if (store?.kind !== "mongodb") return found;
  found = null;
  await within("mongodb", options, async (report) => {
    const { examineMongo } = await import("./store/mongo/examine.ts");
    found = await examineMongo({ uri: store.uri, clock }, report);
  });
  return found;
}

async function examineSource(
  options: ExaminationOptions,
  checkpoints: readonly Checkpoint[] | null,
): Promise<void> {
  const { plan, source, deadlineMs } = options;
  switch (source?.kind) {
    case undefined:
    case "demo":
      return;
    case "files":
      return within("records", options, async (report) => {
        const names = (await findFiles(source.dir)).map(({ path }) => path);
        const strangers = names.filter((name) => namesake(name, plan.tables) === null);
        report.ok("files", `${names.length} in ${source.dir}`);
        if (strangers.length > 0)
          report.ok(
            "names",
            `${strangers.length} are named after no table or topic`,
            "they need whole captured records",
          );
      });
    case "kafka":
      return within("kafka", options, async (report) => {
        const { examineKafka } = await import("./ingest/kafka/examine.ts");
        const { brokers, security } = source;
        const groupId = kafkaGroup(plan, source.groupId);
        await examineKafka(
          { brokers, security, groupId, tables: plan.tables, checkpoints, deadlineMs },
          report,
        );
      });
    default:
      return unreachable(source);
  }
}

async function examineUpdates(options: ExaminationOptions): Promise<void> {
  const { updates, clock, deadlineMs } = options;
  if (updates?.kind !== "redis") return;
  await within("redis", options, async (report) => {
    const { examineRedis } = await import("./updates/redis/examine.ts");
    const { address, ca } = updates;
    await examineRedis({ address, clock, deadlineMs, ...(ca === null ? {} : { tls: { ca } }) }, report);
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  kafka:
    "check that it runs, KAFKA_BROKERS, KAFKA_TLS and KAFKA_SASL, and the way there (firewall, advertised.listeners)",
  mongodb: "check that it runs, MONGODB_URI (host, user, authSource, tls), and the way there",
  redis: "check that it runs, REDIS_URL (host, user, password, rediss:// for TLS), and the way there",
  records: "check the folder's permissions",
  "data directory": "check its permissions, or name another with --data-dir or DATA_DIR",
};

/** Looks at one component for as long as it may take. What it says later is not heard. */
async function within(
  component: string,
  { clock, deadlineMs, signal, take }: ExaminationOptions,
  look: (report: Report) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const report = reportOn(component, (finding) => {
    if (!over.signal.aborted) take(finding);
  });
  const todo = REMEDIES[component] ?? "";
  const late = clock.wait(deadlineMs, AbortSignal.any([signal, over.signal])).then(() => true);
  try {
    const isLate = await Promise.race([look(report).then(() => false), late]);
    if (isLate && !signal.aborted)
      report.wrong(
        "answer",
        `not all was answered within ${deadlineMs / 1_000} s`,
        `${todo}; --timeout gives it longer`,
      );
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    report.wrong("connection", failure, todo);
  } finally {
    over.abort();
  }
}
