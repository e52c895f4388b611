import type { Clock } from "../../clock.ts";
import { compareClocks } from "../../doctor/clocks.ts";
import type { Report } from "../../doctor/report.ts";
import type { Checkpoint } from "../../ingest/source.ts";
import { openMongo, type Mongo, type MongoOptions, type Search } from "./client.ts";
import { readCheckpoints } from "./ledger.ts";
import { versionOf } from "./meta.ts";
import { scannedBy } from "./reads/query-plan.ts";
import { missingIndexes, SCHEMA_VERSION } from "./schema.ts";

/** A scratch document of `meta`, there only while its writing is tried. */
const SCRATCH = "doctor";

/** What the first page of customers asks for. */
const TYPICAL: Search = { filter: { listed: true }, sort: { _id: 1 }, limit: 51 };

/**
 * Looks at a database without preparing it. Answers the checkpoints kept there. Throws what reaching it throws.
 */
export async function examineMongo(
  { clock, ...where }: MongoOptions & { readonly clock: Clock },
  report: Report,
): Promise<readonly Checkpoint[]> {
  const mongo = openMongo(where);
  try {
    await examineServer(mongo, report);
    await examineWriting(mongo, report);
    await examineLayout(mongo, report);
    await compareClocks(report, clock, () => mongo.nowMs());
    return await readCheckpoints(mongo.collection("checkpoints"));
  } finally {
    await mongo.close();
  }
}

async function examineServer(mongo: Mongo, report: Report): Promise<void> {
  const { kind, version, retriesWrites } = await mongo.kind();
  const found = `${kind}, version ${version}, at ${mongo.where}`;
  if (kind === "single server")
    report.warning("server", found, "for production use a replica set: it survives the loss of a machine");
  else if (!retriesWrites)
    report.warning("server", `${found}, writes are not retried`, "take retryWrites=false out of MONGODB_URI");
  else report.ok("server", found);
}

async function examineWriting(mongo: Mongo, report: Report): Promise<void> {
  const meta = mongo.collection("meta");
  try {
    await meta.write([{ filter: { _id: SCRATCH }, update: { $set: { value: 1 } }, upsert: true }]);
    await meta.remove({ _id: SCRATCH });
    report.ok("writing", "a document could be written and removed");
  } catch (error) {
    report.wrong(
      "writing",
      (error as Error).message,
      "give the user of MONGODB_URI readWrite on the database",
    );
  }
}

async function examineLayout(mongo: Mongo, report: Report): Promise<void> {
  const version = await versionOf(mongo);
  if (version === "none") return report.ok("schema", "empty", "the first start prepares it");
  if (version === "foreign")
    return report.wrong(
      "schema",
      "holds the customers of another program",
      "name another database in MONGODB_URI",
    );
  if (version > SCHEMA_VERSION)
    return report.wrong(
      "schema",
      `version ${version}, this program knows ${SCHEMA_VERSION}`,
      "run the version of customer360 that wrote it",
    );
  report.ok("schema", `version ${version}`);
  const missing = await missingIndexes(mongo);
  if (missing.length === 0) report.ok("indexes", "all there");
  else
    report.wrong(
      "indexes",
      `missing: ${missing.join("; ")}`,
      "restart a process: each makes what is missing when it starts; then see who dropped it",
    );
  await examinePlan(mongo, report);
}

async function examinePlan(mongo: Mongo, report: Report): Promise<void> {
  let plan: unknown;
  try {
    plan = await mongo.readable("customers").explain(TYPICAL);
  } catch {
    plan = undefined;
  }
  const scanned = scannedBy(plan);
  if (scanned === null) report.ok("queries", "the server cannot say what a query would scan (no explain)");
  else if (scanned.collections > 0)
    report.warning(
      "queries",
      "listing customers scans the whole collection",
      "see the indexes above; with all of them there, look at the server's query settings",
    );
  else report.ok("queries", `listing customers goes along ${scanned.indexes.join(", ")}`);
}
