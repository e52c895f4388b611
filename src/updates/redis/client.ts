import { createHash } from "node:crypto";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import { Customer360Error } from "../../errors.ts";
import type { RedisAddress, RedisNode } from "./address.ts";

/** Certificates as PEM text. */
export interface RedisTls {
  /** Who signs the server's certificate; the system's authorities when absent. */
  readonly ca?: string;
  /** Our own certificate and key, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
}

/** What a connection is made of. */
export interface RedisLinkOptions {
  readonly address: RedisAddress;
  readonly tls?: RedisTls;
  /** How the connection is listed by the server. */
  readonly name: string;
  /** How long an answer may take, connecting included, milliseconds. */
  readonly deadlineMs: number;
}

/** A Lua script, and how its text is named by the server once it knows it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/** A command's arguments. */
export type RedisArgs = readonly (string | number)[];

/**
 * A connection that is made when it is needed. Every call ends within its deadline: with an answer, or with UPDATES_UNAVAILABLE
 * after which nothing is left of the call here (the server may have done it or not) and the next call connects anew.
 */
export interface RedisLink {
  /** One command; `waitMs` is what the server itself may take its time for. */
  call(command: string, args: RedisArgs, waitMs?: number): Promise<unknown>;
  run(script: RedisScript, keys: readonly string[], args: RedisArgs): Promise<unknown>;
  isConnected(): boolean;
  /** Ends what is under way. Safe to repeat. */
  close(): void;
}

/** Names a script. */
export function redisScript(text: string): RedisScript {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/** The link to a server, to the master that sentinels name, or to a cluster. */
export function redisLink(options: RedisLinkOptions): RedisLink {
  return new Link(options);
}

/** One connection, from the wish for it to its end. */
interface Attempt {
  client: Redis | Cluster | null;
  ready: Promise<Redis | Cluster>;
  isReady: boolean;
  isOver: boolean;
}

class Link implements RedisLink {
  readonly #options: RedisLinkOptions;
  #attempt: Attempt | null = null;
  /** Attempts that failed: each begins with the next of the nodes, or one that says nothing would be asked first for ever. */
  #failed = 0;
  #isClosed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
  }

  call(command: string, args: RedisArgs, waitMs = 0): Promise<unknown> {
    return this.#use((client) => client.call(command, ...args), waitMs);
  }

  run(script: RedisScript, keys: readonly string[], args: RedisArgs): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    return this.#use(async (client) => {
      try {
        return await client.call("EVALSHA", script.sha, ...rest);
      } catch (error) {
        if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
        return client.call("EVAL", script.text, ...rest);
      }
    }, 0);
  }

  isConnected(): boolean {
    return this.#attempt?.isReady === true;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#attempt !== null) this.#end(this.#attempt);
  }

  async #use<T>(work: (client: Redis | Cluster) => Promise<T>, waitMs: number): Promise<T> {
    if (this.#isClosed) throw unavailable("closed");
    const attempt = (this.#attempt ??= this.#begin());
    try {
      return await within(this.#options.deadlineMs + waitMs, async () => work(await attempt.ready));
    } catch (error) {
      // Whatever went wrong, an error reply included: another connection may lead to another master, or to a server that is well.
      this.#end(attempt);
      this.#failed += 1;
      throw unavailable(messageOf(error));
    }
  }

  #begin(): Attempt {
    const nodes = from(this.#options.address.nodes, this.#failed);
    const ready = makeClient(this.#options, nodes).then((client) => this.#connect(attempt, client));
    const attempt: Attempt = { client: null, ready, isReady: false, isOver: false };
    return attempt;
  }

  async #connect(attempt: Attempt, client: Redis | Cluster): Promise<Redis | Cluster> {
    if (attempt.isOver) throw new Error("closed");
    attempt.client = client;
    let reason: Error | null = null;
    client.on("error", (error: Error) => (reason = error));
    client.on("end", () => this.#end(attempt));
    try {
      await client.connect();
    } catch (error) {
      throw reason ?? error;
    }
    attempt.isReady = true;
    return client;
  }

  #end(attempt: Attempt): void {
    if (this.#attempt === attempt) this.#attempt = null;
    if (attempt.isOver) return;
    attempt.isOver = true;
    attempt.isReady = false;
    attempt.ready.catch(() => {});
    attempt.client?.disconnect();
  }
}

type SingleOptions = RedisOptions & { readonly replyMapping: "legacy" };

/**
 * ioredis connects; nothing else is left to it. Its queue would park calls for a server that is away, and its resending would do
 * things twice at a time nobody expects: here a connection that fails is given up, and who called decides what is repeated.
 */
async function makeClient(
  { address, tls, name, deadlineMs }: RedisLinkOptions,
  nodes: readonly RedisNode[],
): Promise<Redis | Cluster> {
  const { Cluster, Redis } = await import("ioredis");
  const { username, password, db, sentinelUsername, sentinelPassword } = address;
  const never = () => null;
  const shared = {
    ...{
      connectionName: name,
      disableClientInfo: true,
      protocol: 2,
      connectTimeout: deadlineMs,
      disconnectTimeout: 100,
    },
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(address.tls ? { tls: { ...tls } } : {}),
  } satisfies RedisOptions;
  if (address.kind === "cluster")
    return new Cluster([...nodes], {
      lazyConnect: true,
      clusterRetryStrategy: never,
      // A node that says nothing leaves time for another one to be asked.
      slotsRefreshTimeout: deadlineMs / 2,
      // A certificate names hosts, so with TLS names are not looked up before they are compared with it.
      ...(address.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
      redisOptions: shared,
    });
  const single: SingleOptions = {
    ...shared,
    replyMapping: "legacy",
    db,
    lazyConnect: true,
    retryStrategy: never,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  if (address.kind === "single") {
    const options: SingleOptions = { ...single, ...nodes[0] };
    return new Redis(options);
  }
  const guarded: SingleOptions = {
    ...single,
    sentinels: [...nodes],
    name: address.master ?? "",
    connectTimeout: deadlineMs / 2,
    sentinelCommandTimeout: deadlineMs / 2,
    sentinelRetryStrategy: never,
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: { ...tls } } : {}),
  };
  return new Redis(guarded);
}

function from(nodes: readonly RedisNode[], at: number): readonly RedisNode[] {
  const first = at % nodes.length;
  return [...nodes.slice(first), ...nodes.slice(0, first)];
}

/** Rejects when the work takes longer; what it comes to later is nobody's business any more. */
async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The client's own errors are not passed on, not even as a cause: they carry the command with its arguments, which are passwords
 * and customers' values. A server repeats arguments too when it does not know a command.
 */
function unavailable(reason: string): Customer360Error {
  return new Customer360Error(
    "UPDATES_UNAVAILABLE",
    `redis: ${reason.split(/, with args/)[0]?.slice(0, 200)}`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
