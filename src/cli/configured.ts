import type { Settings } from "../config.ts";
import type { Connections } from "../connections.ts";
import type { Report } from "../doctor/report.ts";
import { nearNames } from "./near-names.ts";

/** Says what settings choose and what they leave out, before any of it is looked at. */
export function reportConfigured(report: Report, connections: Connections, settings: Settings): void {
  const { source, store, updates } = connections;
  if (source?.kind === "kafka") report.ok("records", "from Kafka (KAFKA_BROKERS)");
  else if (source?.kind === "files") report.ok("records", `from files in ${source.dir} (RECORDS_DIR)`);
  else if (settings.role === "api") report.ok("records", "none: a process of role api reads none");
  else report.warning("records", "none are read", "give RECORDS_DIR (--records) or KAFKA_BROKERS");
  if (store.kind === "mongodb") report.ok("store", "MongoDB (MONGODB_URI)");
  else
    report.ok("store", `embedded, in ${settings.dataDir}`, "MONGODB_URI keeps customers in MongoDB instead");
  if (updates.kind === "redis") report.ok("updates", "Redis (REDIS_URL)");
  else report.ok("updates", `embedded, in ${settings.dataDir}`, "REDIS_URL sends them through Redis instead");
  for (const { given, meant } of nearNames())
    report.warning("names", `${given} is not read`, `did you mean ${meant}?`);
}
