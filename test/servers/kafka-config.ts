import type { Certificates } from "./certificates.ts";

/** A way in that asks for proof. */
export type Door = "tls" | "mutualTls" | "sasl" | "saslTls";

/** A listener of the broker. */
export interface Listener {
  readonly name: string;
  readonly port: number;
  readonly protocol: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
  /** The port that clients are told, when it is not the listener's own: that of a proxy before it. */
  readonly advertised?: number;
}

/** The one user that the doors with SASL let in, by PLAIN and by both SCRAM. */
export const USER = { username: "reader", password: "reader-secret" } as const;

const PROTOCOLS: Readonly<Record<Door, Listener["protocol"]>> = {
  tls: "SSL",
  mutualTls: "SSL",
  sasl: "SASL_PLAINTEXT",
  saslTls: "SASL_SSL",
};

/** The listener of a door. Kafka wants its name in capitals. */
export function listenerOf(door: Door, port: number): Listener {
  return { name: door.toUpperCase(), port, protocol: PROTOCOLS[door] };
}

/** A PEM text as the value of one property: a line break ends a property unless it is escaped. */
function inOneLine(pem: string): string {
  return pem.trim().replaceAll("\n", "\\n");
}

function jaas(module: string, options: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(options).map(([name, value]) => ` ${name}="${value}"`);
  return `org.apache.kafka.common.security.${module} required${pairs.join("")};`;
}

function saslOf({ name }: Listener): Readonly<Record<string, string>> {
  const own = `listener.name.${name.toLowerCase()}`;
  const { username, password } = USER;
  return {
    [`${own}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    [`${own}.plain.sasl.jaas.config`]: jaas("plain.PlainLoginModule", { [`user_${username}`]: password }),
    [`${own}.scram-sha-256.sasl.jaas.config`]: jaas("scram.ScramLoginModule", {}),
    [`${own}.scram-sha-512.sasl.jaas.config`]: jaas("scram.ScramLoginModule", {}),
    // Takes tokens without a signature, whose claim `sub` is the user.
    [`${own}.oauthbearer.sasl.jaas.config`]: jaas("oauthbearer.OAuthBearerLoginModule", {
      unsecuredLoginStringClaim_sub: "broker",
    }),
  };
}

function tlsOf({ name }: Listener, certificates: Certificates): Readonly<Record<string, string>> {
  const own = `listener.name.${name.toLowerCase()}.ssl`;
  return {
    [`${own}.keystore.type`]: "PEM",
    [`${own}.keystore.key`]: inOneLine(certificates.server.key),
    [`${own}.keystore.certificate.chain`]: inOneLine(certificates.server.cert),
    [`${own}.truststore.type`]: "PEM",
    [`${own}.truststore.certificates`]: inOneLine(certificates.ca),
    [`${own}.client.auth`]: name === "MUTUALTLS" ? "required" : "none",
  };
}

/** What the listeners of doors need beside their addresses. */
export function doorsConfig(
  listeners: readonly Listener[],
  certificates: Certificates,
): Readonly<Record<string, string>> {
  return Object.assign(
    {},
    ...listeners.map((listener) => ({
      ...(listener.protocol.startsWith("SASL") ? saslOf(listener) : {}),
      ...(listener.protocol.endsWith("SSL") ? tlsOf(listener, certificates) : {}),
    })),
  );
}

/** A single node that is broker and controller, is back soon after a kill, and deletes nothing on account of its age. */
export function brokerConfig(listeners: readonly Listener[], controllerPort: number, logDir: string) {
  const addresses = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(",");
  const told = listeners
    .map(({ name, port, advertised = port }) => `${name}://127.0.0.1:${advertised}`)
    .join(",");
  const protocols = listeners.map(({ name, protocol }) => `${name}:${protocol}`).join(",");
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    listeners: `${addresses},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": told,
    "listener.security.protocol.map": `${protocols},CONTROLLER:PLAINTEXT`,
    "log.dirs": logDir,
    "num.partitions": "1",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    // With the defaults a broker that was killed is back after 14 s only: the controller waits for its session to end.
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
    // Records of tests are as old, and as far ahead, as the test wants.
    "log.retention.ms": "-1",
    "log.message.timestamp.after.max.ms": "9223372036854775807",
    "log.cleaner.dedupe.buffer.size": "10485760",
  } satisfies Record<string, string>;
}
