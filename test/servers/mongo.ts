import { join } from "node:path";
import { addressOf } from "./binaries.ts";
import { temporaryFolder } from "./folders.ts";
import { javaArguments } from "./java.ts";
import { answers, freePort } from "./ports.ts";
import { foreignServer, startServer, type Server } from "./server.ts";

/** What a MongoDB of a test should be; it makes no difference to the one of MONGODB_TEST_URI. */
export interface MongoOptions {
  /** `file`: what was acknowledged survives a kill, at about the same speed. `memory`: a kill empties it. Default `memory`. */
  readonly storage?: "memory" | "file";
  /** Memory of the virtual machine, megabytes; with less than its documents need, it does nothing but collect garbage. Default 512. */
  readonly heapMb?: number;
  /** Options of the virtual machine, over our own. */
  readonly java?: readonly string[];
}

/** A server that speaks the MongoDB protocol. */
export interface Mongo extends Server {
  readonly uri: string;
  readonly port: number;
  /** True for a MongoDB named by the environment: what the server for tests lacks may be asked of it. */
  readonly real: boolean;
}

/**
 * The MongoDB of MONGODB_TEST_URI, or mongo-java-server, which has no transactions, `explain`, collations or TTL.
 * @throws ServerMissing when there is neither.
 */
export async function startMongo(options: MongoOptions = {}): Promise<Mongo> {
  const { storage = "memory", heapMb = 512 } = options;
  const address = addressOf("mongo");
  if (address !== null) return { ...foreignServer("MONGODB_TEST_URI"), uri: address, port: 0, real: true };
  const java = javaArguments("mongo", [`-Xmx${heapMb}m`, ...(options.java ?? [])]);
  const port = await freePort();
  const dataDir = temporaryFolder("mongo");
  const server = await startServer({
    name: "mongo-java-server",
    command: "java",
    args: [...java, "ProtocolServer", String(port), ...(storage === "file" ? [join(dataDir, "data")] : [])],
    dataDir,
    ready: () => answers(port),
  });
  return { ...server, uri: `mongodb://127.0.0.1:${port}/`, port, real: false };
}
