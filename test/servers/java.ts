import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cached, findJars, missing, ServerMissing, type ServerName } from "./binaries.ts";

/** Starts soon and stays small, which suits tests; the optimising compiler would take the second core. */
const QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];

/** What makes a server fast that runs for long: for measuring, where a slow one would be all that is measured. */
export const LASTING = ["-XX:TieredStopAtLevel=4"];

/** Of a start that fails the log is shown, and shows then what went wrong. */
const LOG = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"];

/**
 * The arguments that `java` needs to run a class of a server, without the class itself.
 * @throws ServerMissing when its jars, or Java, are not here.
 */
export function javaArguments(name: ServerName, options: readonly string[]): readonly string[] {
  const reason = missing(name);
  const jars = findJars(name);
  if (jars === null) throw new ServerMissing(reason ?? `the jars of ${name} were not obtained`);
  const archive = join(cached(name), "classes.jsa");
  const shared = existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
  const path = name === "mongo" ? [...jars, join(cached(name), "classes")] : jars;
  return [...QUICK, ...LOG, ...shared, ...options, "-cp", path.join(delimiter)];
}
