import { samePartition } from "../../cdc/partition.ts";
import { Customer360Error } from "../../errors.ts";
import type { Range } from "../replay/bounds.ts";
import type { Fetched, Group, GroupEars, KafkaClient } from "./group.ts";

/**
 * A cluster seen through ranges: each partition ends where its range does, others do not exist. Commits are swallowed, and the group seems to know
 * every partition: progress is the reader's own, and a group that reads a range once has nothing to remember.
 *
 * Throws SOURCE_FAILED when a topic or the end of a range is not there any more.
 */
export function windowed(cluster: KafkaClient, ranges: readonly Range[]): KafkaClient {
  const wanted = ranges.filter(({ from, to }) => from < to);
  const topics = [...new Set(wanted.map(({ topic }) => topic))];
  return {
    topics: async () => {
      if (topics.length === 0) return [];
      const existing = new Set(await cluster.topics());
      const gone = topics.find((topic) => !existing.has(topic));
      if (gone !== undefined) throw lost(`the topic ${gone} is gone`);
      return topics;
    },
    marks: async (topic) => {
      const marks = await cluster.marks(topic);
      return wanted
        .filter((range) => range.topic === topic)
        .map(({ partition, to }) => {
          const mark = marks.find((one) => one.partition === partition);
          if (mark === undefined || mark.high < to)
            throw lost(
              `${topic}/${partition} ends at ${mark?.high ?? 0}, before the end of what is read, ${to}`,
            );
          return { ...mark, high: to };
        });
    },
    committed: () =>
      Promise.resolve(
        wanted.map(({ topic, partition, from }) => ({
          topic,
          partition,
          offset: from,
          life: 0,
          witness: null,
        })),
      ),
    join: async (names, ears) => silenced(await cluster.join(names, cutting(ears, wanted))),
    close: () => cluster.close(),
  };
}

function lost(what: string): Customer360Error {
  return new Customer360Error(
    "SOURCE_FAILED",
    `${what}: it was made again, or lost its end; --restart reads what there is`,
  );
}

/** Membership that commits nothing. */
function silenced(group: Group): Group {
  return {
    pause: (partitions) => group.pause(partitions),
    resume: (partitions) => group.resume(partitions),
    seek: (partition, offset) => group.seek(partition, offset),
    commit: () => Promise.resolve(),
    leave: () => group.leave(),
  };
}

/** Hears of nothing behind the ends of ranges: a partition that is there is paused. */
function cutting(ears: GroupEars, ranges: readonly Range[]): GroupEars {
  const ended = new Set<Range>();
  let group: Group | null = null;
  return {
    ...ears,
    assigned: (partitions, joined) => {
      ended.clear();
      group = silenced(joined);
      ears.assigned(partitions, group);
    },
    fetched: (fetched) => {
      const range = ranges.find((one) => samePartition(one, fetched));
      if (range === undefined || fetched.next <= range.to)
        return ears.fetched(range === undefined ? fetched : { ...fetched, high: range.to });
      group?.pause([fetched]);
      if (ended.has(range)) return true;
      const isTaken = ears.fetched(cut(fetched, range.to));
      if (isTaken) ended.add(range);
      return isTaken;
    },
  };
}

function cut(fetched: Fetched, to: bigint): Fetched {
  return {
    ...fetched,
    records: fetched.records.filter(({ offset }) => BigInt(offset) < to),
    unreadable: fetched.unreadable.filter(({ origin }) => BigInt(origin.offset) < to),
    next: to,
    high: to,
  };
}
