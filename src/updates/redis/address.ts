/** Where a Redis is, and as whom to enter. */
export interface RedisAddress {
  readonly kind: "single" | "sentinel" | "cluster";
  /** One server, or the sentinels or cluster nodes to ask first; never empty. */
  readonly nodes: readonly RedisNode[];
  /** The name sentinels know the master by; null unless `kind` is sentinel. */
  readonly master: string | null;
  /** ACL user; null for the default user. */
  readonly username: string | null;
  readonly password: string | null;
  /** As whom to ask the sentinels; both null when they ask nobody. */
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  /** Number of the database; a cluster has 0 only. */
  readonly db: number;
  readonly tls: boolean;
}

/** One host and port. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What a setting came to. `reason` never holds any part of it that may be secret. */
export type ParsedRedisUrl =
  | { readonly kind: "address"; readonly address: RedisAddress }
  | { readonly kind: "fault"; readonly reason: string };

/** The forms that are understood, for messages and documentation. */
export const REDIS_URL_FORMS =
  "redis://[[user]:password@]host[:port][/db], redis+sentinel://...@host[:port],.../master[/db] or redis+cluster://...@host[:port],... (rediss for TLS)";

// Greedy before the @, so that a password with a slash or an @ in it is not taken for a host and shown.
const URL_FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/s;
const NODE_FORM = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const PORTS = { single: 6_379, sentinel: 26_379, cluster: 6_379 };

class Fault extends Error {}

/** Reads a REDIS_URL. Users and passwords are percent-encoded, as in any URL. */
export function parseRedisUrl(text: string): ParsedRedisUrl {
  const parts = URL_FORM.exec(text);
  if (parts === null) return { kind: "fault", reason: `is none of ${REDIS_URL_FORMS}` };
  const [, scheme, form, login, hosts = "", path = "", query = ""] = parts;
  const kind = form === "sentinel" || form === "cluster" ? form : "single";
  try {
    const address: RedisAddress = {
      kind,
      nodes: nodesOf(kind, hosts),
      ...loginOf(login),
      ...pathOf(kind, path),
      ...sentinelLogin(kind, query),
      tls: scheme === "rediss",
    };
    return { kind: "address", address };
  } catch (error) {
    if (error instanceof Fault) return { kind: "fault", reason: error.message };
    throw error;
  }
}

function nodesOf(kind: RedisAddress["kind"], hosts: string): readonly RedisNode[] {
  const nodes = hosts.split(",").map((text): RedisNode => {
    const [, host, port] = NODE_FORM.exec(text) ?? [];
    if (host === undefined) throw new Fault("has a host that is none");
    const number = port === undefined ? PORTS[kind] : Number(port);
    if (number === 0 || number > 65_535) throw new Fault("has a port that is none");
    return { host: host.replace(/^\[|\]$/g, ""), port: number };
  });
  if (kind === "single" && nodes.length > 1)
    throw new Fault("names several hosts: say redis+sentinel:// or redis+cluster://");
  return nodes;
}

function loginOf(login: string | undefined): Pick<RedisAddress, "username" | "password"> {
  if (login === undefined || login === "") return { username: null, password: null };
  const at = login.indexOf(":");
  if (at < 0)
    throw new Fault("has a user without a password (for a password alone, write a colon before it)");
  const username = decoded(login.slice(0, at));
  return { username: username === "" ? null : username, password: decoded(login.slice(at + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Fault("has a user or password that is not percent-encoded: write % as %25, @ as %40, / as %2F");
  }
}

function pathOf(kind: RedisAddress["kind"], path: string): Pick<RedisAddress, "master" | "db"> {
  const [first = "", second, ...rest] = path.split("/");
  const [master, db] = kind === "sentinel" ? [decoded(first), second ?? ""] : [null, first];
  if (rest.length > 0 || (kind !== "sentinel" && second !== undefined))
    throw new Fault("has too long a path");
  if (master === "") throw new Fault("does not name the master: redis+sentinel://host/master");
  if (!/^\d{0,5}$/.test(db)) throw new Fault("has a database that is no number");
  if (kind === "cluster" && Number(db) !== 0) throw new Fault("has a database: a cluster has none but 0");
  return { master, db: Number(db) };
}

function sentinelLogin(
  kind: RedisAddress["kind"],
  query: string,
): Pick<RedisAddress, "sentinelUsername" | "sentinelPassword"> {
  const given = new URLSearchParams(query);
  const known = ["sentinelUsername", "sentinelPassword"];
  for (const name of given.keys())
    if (kind !== "sentinel" || !known.includes(name))
      throw new Fault(
        "has a query: only sentinelUsername and sentinelPassword are known, of redis+sentinel://",
      );
  return {
    sentinelUsername: given.get("sentinelUsername"),
    sentinelPassword: given.get("sentinelPassword"),
  };
}
