// Obtains the real servers that tests run against, into a folder outside the repository. What is there already is left alone.
//
//   npm run servers                  all of them
//   npm run servers -- redis mongo   some of them
//   npm run servers -- --help        their names
//
// CUSTOMER360_SERVERS names the folder (default ~/.cache/customer360/servers; test/servers/binaries.ts reads the same).
// No root is needed: Debian packages are only unpacked. What cannot be had is named, the rest is obtained, the exit code is 1.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const JAVA = join(import.meta.dirname, "..", "test", "servers", "java");
const CACHE = process.env.CUSTOMER360_SERVERS || join(homedir(), ".cache", "customer360", "servers");
const MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
// A Connect plug-in must not bring its own copy of what the worker has.
const WORKER_GROUPS =
  "org.apache.kafka,org.slf4j,com.github.luben,at.yawk.lz4,org.lz4,org.xerial.snappy,javax.ws.rs,jakarta.ws.rs";

const SERVERS = [
  { name: "redis", about: "Redis", packages: ["redis-server"], programs: ["redis-server"] },
  {
    name: "mongo",
    about: "MongoDB protocol: mongo-java-server",
    compiled: true,
    finish: compileProtocolServer,
  },
  { name: "kafka", about: "Kafka broker and Connect worker", warmUp: archiveClasses },
  { name: "debezium-postgres", about: "Debezium connector", plugin: true },
  { name: "debezium-mariadb", about: "Debezium connector", plugin: true },
  {
    name: "mongo-sink",
    about: "MongoDB sink connector, for the benchmark",
    plugin: true,
    finish: announceSink,
  },
  { name: "postgres", about: "PostgreSQL", packages: ["postgresql-15"], programs: ["postgres", "initdb"] },
  {
    name: "mariadb",
    about: "MariaDB",
    packages: ["mariadb-server-core", "mariadb-client-core"],
    programs: ["mariadbd", "mariadb-install-db"],
  },
];

/** Runs a program to its end and gives what it printed; its failure is an error that holds its complaints, or its last lines. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let out = "";
    child.stdout.on("data", (piece) => (out += piece));
    child.stderr.on("data", (piece) => (out += piece));
    child.on("error", (error) =>
      reject(error.code === "ENOENT" ? new Error(`${command} is not installed`) : error),
    );
    child.on("close", (code) => {
      if (code === 0) return resolve(out);
      const lines = out.trim().split("\n");
      const complaints = lines.filter((line) => /^(\[ERROR\]|E:|error:) \S/.test(line)).slice(0, 4);
      const said = complaints.length > 0 ? complaints : lines.slice(-12);
      reject(new Error(`${command} ended with ${code}:\n${said.join("\n")}`));
    });
  });
}

function bytesIn(path) {
  if (!existsSync(path)) return 0;
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

const javaFiles = () =>
  readdirSync(JAVA)
    .filter((file) => file.endsWith(".java"))
    .sort();

/** Where a program lies that the machine itself offers, or undefined. */
function installed(program) {
  const postgres = existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`)
    : [];
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", ...postgres]
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}

/** The source goes along: by it a test knows whether what was obtained is still the right one. */
async function compileProtocolServer(folder) {
  const source = join(folder, "source");
  mkdirSync(source);
  for (const file of javaFiles()) cpSync(join(JAVA, file), join(source, file));
  const classes = ["-d", join(folder, "classes"), "-sourcepath", source];
  await run("javac", ["-cp", join(folder, "*"), ...classes, join(source, "ProtocolServer.java")]);
}

/** The sink has no manifest of its services, without which a worker that does not scan every class cannot see it. */
async function announceSink(folder) {
  const services = join(folder, "META-INF", "services");
  mkdirSync(services, { recursive: true });
  writeFileSync(
    join(services, "org.apache.kafka.connect.sink.SinkConnector"),
    "com.mongodb.kafka.connect.MongoSinkConnector\n",
  );
  await run("jar", ["--create", "--file", join(folder, "services.jar"), "-C", folder, "META-INF"]);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function listens(port) {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await delay(200);
  }
}

/** Runs a broker once and keeps its loaded classes: 1.7 s less of a processor for each start to come. It also works without. */
async function archiveClasses(folder) {
  if (existsSync(join(folder, "classes.jsa"))) return;
  const scratch = mkdtempSync(join(tmpdir(), "customer360-kafka-"));
  const properties = join(scratch, "server.properties");
  const [port, controller] = [await freePort(), await freePort()];
  const lines = [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    "controller.listener.names=CONTROLLER",
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `log.dirs=${join(scratch, "log")}`,
  ];
  writeFileSync(properties, `${lines.join("\n")}\n`);
  const jars = readdirSync(folder)
    .filter((file) => file.endsWith(".jar"))
    .sort();
  const java = [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-cp",
    jars.map((jar) => join(folder, jar)).join(delimiter),
  ];
  const id = randomBytes(16).toString("base64url");
  try {
    await run("java", [...java, "kafka.tools.StorageTool", "format", "-t", id, "-c", properties]);
    const archive = `-XX:ArchiveClassesAtExit=${join(scratch, "classes.jsa")}`;
    const broker = spawn("java", [archive, ...java, "kafka.Kafka", properties], { stdio: "ignore" });
    const ended = once(broker, "exit");
    await Promise.race([listens(port), ended, delay(60_000, undefined, { ref: false })]);
    broker.kill("SIGTERM");
    await ended;
    cpSync(join(scratch, "classes.jsa"), join(folder, "classes.jsa"));
  } catch {
    // Without it a start only takes longer.
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function copyJars({ name, plugin }, folder) {
  await run("mvn", [
    ...["--batch-mode", "--no-transfer-progress", "-f", join(JAVA, "pom.xml"), "-P", name, MAVEN_COPY],
    ...["-DincludeScope=runtime", `-DoutputDirectory=${folder}`],
    ...(plugin ? [`-DexcludeGroupIds=${WORKER_GROUPS}`] : []),
  ]);
}

/** Where apt keeps its lists: its own place, or one of ours for a user who may not write there. */
function aptOptions() {
  if (process.getuid?.() === 0) return [];
  const state = join(CACHE, "apt");
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  return ["-o", `Dir::State::lists=${join(state, "lists")}`, "-o", `Dir::Cache=${state}`];
}

let lists;
/** The packages that have to be there for some others, themselves included, besides what is installed. */
async function packagesFor(names) {
  const simulate = () =>
    run("apt-get", [...aptOptions(), "install", "--simulate", "--no-install-recommends", ...names]);
  const answer = await simulate().catch(async () => {
    lists ??= run("apt-get", [...aptOptions(), "update"]);
    await lists;
    return simulate();
  });
  return [...answer.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name);
}

async function unpackPackages({ packages }, folder) {
  const downloads = join(folder, "downloads");
  mkdirSync(downloads, { recursive: true });
  const download = async () =>
    run("apt-get", [...aptOptions(), "download", ...(await packagesFor(packages))], { cwd: downloads });
  await download().catch(async () => {
    // A list that is too old names files which the mirror has replaced.
    lists ??= run("apt-get", [...aptOptions(), "update"]);
    await lists;
    return download();
  });
  for (const file of readdirSync(downloads)) await run("dpkg-deb", ["-x", join(downloads, file), folder]);
  rmSync(downloads, { recursive: true });
}

/** Changes when a server would be obtained in another way. */
function stampOf(server) {
  const hash = createHash("sha256").update(JSON.stringify(server));
  if (server.packages === undefined) hash.update(readFileSync(join(JAVA, "pom.xml")));
  if (server.compiled) for (const file of javaFiles()) hash.update(readFileSync(join(JAVA, file)));
  return hash.digest("hex");
}

/** Puts a server into the cache, whole or not at all, and says where it is. */
async function obtain(server) {
  const folder = join(CACHE, server.name);
  const stamp = join(folder, "stamp");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === stampOf(server)) {
    await server.warmUp?.(folder);
    return `there (${megabytes(bytesIn(folder))})`;
  }
  const own = server.programs?.map(installed) ?? [undefined];
  if (!own.includes(undefined)) return `there (${own[0]})`;

  const begun = Date.now();
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(partial, { recursive: true });
  try {
    await (server.packages === undefined ? copyJars(server, partial) : unpackPackages(server, partial));
    await server.finish?.(partial);
    writeFileSync(join(partial, "stamp"), stampOf(server));
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
  await server.warmUp?.(folder);
  return `obtained, ${megabytes(bytesIn(folder))} in ${Math.round((Date.now() - begun) / 1000)} s`;
}

/** True when it is there in the end. */
async function report(server, at, count) {
  const title = `[${at + 1}/${count}] ${server.name.padEnd(17)} ${server.about.padEnd(42)}`;
  const begun = Date.now();
  const patience = setInterval(() => {
    console.log(`${title} still at it, ${Math.round((Date.now() - begun) / 1000)} s`);
  }, 15_000);
  try {
    console.log(`${title} ${await obtain(server)}`);
    return true;
  } catch (error) {
    console.log(`${title} NOT OBTAINED: ${error.message}`);
    return false;
  } finally {
    clearInterval(patience);
  }
}

/** What runs left behind that were killed. */
function sweep() {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) {
    const [, pid] = /\.(\d+)\.partial$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(CACHE, name), { recursive: true });
  }
}

const wanted = process.argv.slice(2);
const names = SERVERS.map(({ name }) => name);
if (wanted.includes("--help") || wanted.some((name) => !names.includes(name))) {
  console.log(`npm run servers [-- name...]\nnames: ${names.join(", ")}\nfolder: ${CACHE}`);
  process.exit(wanted.includes("--help") ? 0 : 2);
}
const chosen = SERVERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const missing = [];
sweep();
console.log(`servers for tests in ${CACHE}`);
for (const [at, server] of chosen.entries())
  if (!(await report(server, at, chosen.length))) missing.push(server.name);
if (missing.length > 0) {
  console.log(
    `not obtained: ${missing.join(", ")}. Java and Maven come with: apt-get install default-jdk-headless maven`,
  );
  process.exit(1);
}
