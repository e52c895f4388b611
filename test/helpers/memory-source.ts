import type { SourceRecord } from "../../src/cdc/change.ts";
import type { Checkpoint, Source, SourceBatch, Unreadable } from "../../src/ingest/source.ts";

/** The durable side of a memory source: what a broker keeps. Shared by the sources of several lives of a process. */
export interface MemoryTopic {
  readonly records: readonly SourceRecord[];
  readonly unreadable?: readonly Unreadable[];
}

/** How a memory source delivers. */
export interface MemorySourceOptions {
  /** Records per batch and partition; default 1000. */
  readonly batchSize?: number;
  /** True: stays open at the end, as a broker does, until the signal aborts. */
  readonly follow?: boolean;
}

/** What a memory source can be asked beyond the port. */
export interface MemorySource extends Source {
  readonly acknowledged: readonly Checkpoint[];
}

/** A record with text for its key and value. */
export function textRecord(
  origin: { readonly topic: string; readonly partition?: number; readonly offset: number | string },
  value: string | null,
  key: string | null = null,
): SourceRecord {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
  return {
    topic: origin.topic,
    partition: origin.partition ?? 0,
    offset: String(origin.offset),
    timestampMs: Date.UTC(2024, 0, 1),
    key: bytes(key),
    value: bytes(value),
    headers: {},
  };
}

/** Records in memory, by partition in the order given; a restart redelivers from the checkpoints. */
export function memorySource(topic: MemoryTopic, options: MemorySourceOptions = {}): MemorySource {
  const { batchSize = 1000, follow = false } = options;
  const partitions = new Map<string, SourceRecord[]>();
  const at = new Map<string, number>();
  const acknowledged: Checkpoint[] = [];
  let unreadable = [...(topic.unreadable ?? [])];
  let closed = false;
  let settle = () => {};
  for (const record of topic.records) {
    const id = `${record.topic}/${record.partition}`;
    const records = partitions.get(id);
    if (records === undefined) partitions.set(id, [record]);
    else records.push(record);
  }
  const batchAt = (records: readonly SourceRecord[], from: number): SourceBatch[] => {
    const part = records.slice(from, from + batchSize);
    const [first] = part;
    const last = part.at(-1);
    if (first === undefined || last === undefined) return [];
    const bytes = part.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
    const nextOffset = (BigInt(last.offset) + 1n).toString();
    return [{ topic: first.topic, partition: first.partition, records: part, nextOffset, bytes }];
  };
  return {
    acknowledged,
    start: async (checkpoints) => {
      for (const { topic: name, partition, nextOffset } of await checkpoints()) {
        const id = `${name}/${partition}`;
        const records = partitions.get(id) ?? [];
        const from = records.findIndex(({ offset }) => BigInt(offset) >= BigInt(nextOffset));
        at.set(id, from < 0 ? records.length : from);
      }
    },
    next: async (signal) => {
      if (closed || signal.aborted) return null;
      const batches = [...partitions].flatMap(([id, records]) => {
        const from = at.get(id) ?? 0;
        at.set(id, from + batchSize);
        return batchAt(records, from);
      });
      if (batches.length > 0) return batches;
      if (!follow) return null;
      await new Promise<void>((resolve) => {
        settle = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      return null;
    },
    acknowledge: async (checkpoints) => {
      acknowledged.push(...checkpoints);
    },
    unreadable: () => {
      const found = unreadable;
      unreadable = [];
      return found;
    },
    lag: async () =>
      [...partitions].map(([id, records]) => {
        const [first] = records;
        const behind = Math.max(0, records.length - (at.get(id) ?? 0));
        return { topic: first?.topic ?? "", partition: first?.partition ?? 0, behind: String(behind) };
      }),
    close: async () => {
      closed = true;
      settle();
    },
  };
}
