import type { Origin } from "./change.ts";

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** True when both are of one partition, where offsets say which came later. */
export function samePartition(a: TopicPartition, b: TopicPartition): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}

/** True when both are at one place of one partition. */
export function sameOrigin(a: Origin, b: Origin): boolean {
  return a.offset === b.offset && samePartition(a, b);
}

/** A text that no other partition has. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
