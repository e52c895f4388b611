import type { Counts, MemberCount } from "../../reads.ts";
import type { IndexSpec, MongoCollection } from "../client.ts";
import { factField } from "../documents/facts.ts";
import { originalOf } from "../documents/names.ts";

/** Listed customers, and how many of them are in each tier of each segment. */
export interface Membership {
  readonly customers: Counts["customers"];
  readonly members: readonly MemberCount[];
}

/** The index that holds all there is to count. */
export function membersIndex(segments: readonly string[]): IndexSpec {
  const fields = segments.map((segment): [string, 1] => [factField(`segment:${segment}`), 1]);
  return { keys: { listed: 1, ...Object.fromEntries(fields) } };
}

/** Counts in one pass: customers by the tiers they are in of all segments together, then by each. */
export async function countMembers(
  customers: MongoCollection,
  segments: readonly string[],
): Promise<Membership> {
  const fields = segments.map((segment, index) => [`s${index}`, `$${factField(`segment:${segment}`)}`]);
  const groups = await customers.aggregate<{
    readonly _id: Readonly<Record<string, string>> | null;
    readonly count: number;
  }>([
    { $match: { listed: true } },
    { $group: { _id: fields.length === 0 ? null : Object.fromEntries(fields), count: { $sum: 1 } } },
  ]);
  let all = 0;
  const counts = new Map<string, MemberCount>();
  for (const { _id, count } of groups) {
    all += count;
    for (const [index, segment] of segments.entries()) {
      const tier = originalOf(_id?.[`s${index}`] ?? "OUT");
      if (tier === "OUT") continue;
      const name = JSON.stringify([segment, tier]);
      counts.set(name, { segment, tier, customers: (counts.get(name)?.customers ?? 0) + count });
    }
  }
  return {
    customers: all,
    members: [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found),
  };
}
