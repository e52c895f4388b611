import { setTimeout as pause } from "node:timers/promises";
import type { Producer } from "kafkajs";
import type { Sent } from "./workloads.ts";

/** Records that were sent and are not to be seen yet. */
export interface Held {
  /** Lets them be seen, all at once; answers when that began, milliseconds of `performance.now()`. */
  release(): Promise<number>;
}

/** What sends records that are held back. */
export interface Holder {
  hold(topic: string, records: readonly Sent[]): Promise<Held>;
  stop(): Promise<void>;
}

/** A transactional producer, connected. Each is the next life of one name: what the one before it left open is aborted. */
export type OpenProducer = () => Promise<Pick<Producer, "transaction" | "disconnect">>;

interface Transaction {
  commit(): Promise<void>;
}

const AT_ONCE = 2_000;
const ATTEMPTS = 10;
const PAUSE_MS = 500;

/** Cuts records into requests. */
export const pieces = (records: readonly Sent[]): readonly Sent[][] =>
  Array.from({ length: Math.ceil(records.length / AT_ONCE) }, (_, at) =>
    records.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );

/**
 * Holds records back in a transaction.
 *
 * A coordinator that moves (a busy broker loses touch with its controller) refuses what it is asked then, and the client library never leaves
 * the state in which a commit failed. So a producer that met a failure is given up; the next one aborts what was under way when it begins, and everything
 * is sent again. Only a commit that was done and whose answer was lost makes records seen twice, as duplicates.
 */
export function createHolder(open: OpenProducer, waitMs = PAUSE_MS): Holder {
  let producer: Awaited<ReturnType<OpenProducer>> | null = null;
  const giveUp = async (): Promise<void> => {
    const former = producer;
    producer = null;
    await former?.disconnect().catch(() => {});
  };
  const insist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let left = ATTEMPTS; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        await giveUp();
        if (left === 0) throw error;
        await pause(waitMs);
      }
    }
  };
  const send = async (topic: string, records: readonly Sent[]): Promise<Transaction> => {
    producer ??= await open();
    const transaction = await producer.transaction();
    for (const messages of pieces(records)) await transaction.send({ topic, messages, acks: -1 });
    return transaction;
  };
  return {
    hold: async (topic, records) => {
      let held: Transaction | null = await insist(() => send(topic, records));
      return {
        release: () =>
          insist(async () => {
            const transaction = held ?? (await send(topic, records));
            held = null;
            const startMs = performance.now();
            await transaction.commit();
            return startMs;
          }),
      };
    },
    stop: giveUp,
  };
}
