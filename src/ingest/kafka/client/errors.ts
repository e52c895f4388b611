import { codeOf, Customer360Error } from "../../../errors.ts";

/** Names of the client library's errors that tell of an outage: the world is away, and comes back. */
const OUTAGES: ReadonlySet<string> = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
  "KafkaJSNoBrokerAvailableError",
  "KafkaJSGroupCoordinatorNotFound",
  "KafkaJSMetadataNotLoaded",
  "KafkaJSTopicMetadataNotLoaded",
  "KafkaJSStaleTopicMetadataAssignment",
  "KafkaJSLockTimeout",
  "KafkaJSTimeout",
]);

/** Answers of a broker that pass, although the client library calls some of them final. */
const PASSING: ReadonlySet<string> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_MEMBER_ID",
  "ILLEGAL_GENERATION",
  "REBALANCE_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
  "FENCED_LEADER_EPOCH",
]);

/** Answers that a person has to change something about. */
const REFUSALS: ReadonlySet<string> = new Set([
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE",
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "INVALID_SESSION_TIMEOUT",
]);

/** How a certificate is at fault, as the platform's TLS says it. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS/;

/**
 * What failed, as one of our errors: `SOURCE_UNAVAILABLE` for an outage, which is waited for; `SOURCE_FAILED` when the broker refuses us, or for
 * anything unknown, since trying again would only hide it.
 */
export function kafkaFailure(what: string, error: unknown): Error {
  if (error instanceof Error && codeOf(error) !== null) return error;
  const chain = causesOf(error);
  const isPassing = !chain.some(isRefusal) && chain.some(isOutage);
  const code = isPassing ? "SOURCE_UNAVAILABLE" : "SOURCE_FAILED";
  return new Customer360Error(code, `${what}: ${chain[0]?.message ?? String(error)}`, { cause: error });
}

/** Waits for something of Kafka's; its failures become `kafkaFailure`. */
export async function ofKafka<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw kafkaFailure(what, error);
  }
}

/** True while the group is changing hands: partitions will be assigned again. */
export function isRebalancing(error: unknown): boolean {
  return causesOf(error).some(({ type }) =>
    ["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"].includes(type),
  );
}

/** True when a broker does not lead what was asked for: just made, just removed, or led by a broker that is away. */
export function isUnhosted(error: unknown): boolean {
  return causesOf(error).some(({ type }) =>
    ["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION"].includes(type),
  );
}

/** What is known of one error of a chain. */
interface Cause {
  readonly name: string;
  readonly message: string;
  /** The broker's answer, or "". */
  readonly type: string;
  /** The platform's code, or "". */
  readonly code: string;
  readonly isRetriable: boolean;
}

function causesOf(error: unknown): readonly Cause[] {
  const chain: Cause[] = [];
  for (let at: unknown = error; at instanceof Error && chain.length < 10; at = at.cause) {
    const { type, code, retriable } = at as Error & Partial<Record<"type" | "code" | "retriable", unknown>>;
    chain.push({
      name: at.name,
      message: at.message,
      type: typeof type === "string" ? type : "",
      code: typeof code === "string" ? code : "",
      isRetriable: retriable === true,
    });
  }
  return chain;
}

function isRefusal({ name, type, code, message }: Cause): boolean {
  return (
    name === "KafkaJSSASLAuthenticationError" ||
    REFUSALS.has(type) ||
    CERTIFICATE.test(code) ||
    /certificate|Hostname\/IP does not match/i.test(message)
  );
}

function isOutage({ name, type, isRetriable }: Cause): boolean {
  return OUTAGES.has(name) || PASSING.has(type) || isRetriable;
}
