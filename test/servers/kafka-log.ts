import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Kafka } from "./kafka.ts";

/**
 * Takes the end of a partition from a broker that was killed, as the machine takes with it what it had not yet written to its disk. At most
 * so many bytes, and never more than half of what there is; the broker drops the rest of a batch that it finds cut when it is started
 * again.
 */
export function loseEnd(
  kafka: Kafka,
  { topic, partition }: { topic: string; partition: number },
  bytes: number,
): void {
  const folder = join(kafka.dataDir, "log", `${topic}-${partition}`);
  const last = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .sort()
    .at(-1);
  if (last === undefined) throw new Error(`no log in ${folder}`);
  const file = join(folder, last);
  const { size } = statSync(file);
  truncateSync(file, Math.max(Math.ceil(size / 2), size - bytes));
}
