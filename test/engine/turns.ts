import { setTimeout as pause } from "node:timers/promises";
import { isDone, type Contender } from "./contenders.ts";
import type { Feed } from "./feed.ts";
import { cpuUs } from "./usage.ts";
import type { Changes, Sent, Workload } from "./workloads.ts";

/** What a turn came to. */
export interface Turn {
  /** Changes per second, from the moment they could be seen to the last of them in the store. */
  readonly rate: number;
  /** Processor time of the contender per change, microseconds. */
  readonly cpuUs: number;
}

/** What a turn takes. */
export interface TurnParts {
  readonly feed: Feed;
  readonly changes: Changes;
  /** Processes that share the work; default the contender's own. */
  readonly pids?: readonly number[];
}

const LOOK_MS = 15;
const CALM_MS = 400;
const PATIENCE_MS = 300_000;

/** Lets a contender work off a backlog that becomes visible all at once. */
export async function turn(
  contender: Contender,
  { workload, count }: { readonly workload: Workload; readonly count: number },
  { feed, changes, pids }: TurnParts,
): Promise<Turn> {
  const { sent, text } = withMarkers(changes, changes.next(workload, count));
  const held = await feed.hold(contender.topic, sent);
  await pause(CALM_MS);
  const used = () => (pids ?? [contender.pid()]).reduce((sum, pid) => sum + cpuUs(pid), 0);
  const before = used();
  const startMs = await held.release();
  await until(() => isDone(contender, text), `${contender.name} has done its turn`);
  const ms = performance.now() - startMs;
  // What it does behind the last write belongs to it: publishing, checkpoints, commits.
  await pause(CALM_MS);
  return { rate: (sent.length * 1_000) / ms, cpuUs: (used() - before) / sent.length };
}

function withMarkers(changes: Changes, sent: readonly Sent[]): { sent: readonly Sent[]; text: string } {
  const markers = changes.markers();
  return { sent: [...sent, ...markers.sent], text: markers.text };
}

/** Waits for something to be so. Throws when it takes five minutes. */
export async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await pause(LOOK_MS);
  }
}

const AT_ONCE = 500;
const VERIFICATIONS = 20;

/** Throws unless the store comes to have the latest note of every customer: the last of a batch may be written after its marker. */
export async function verify(contender: Contender, changes: Changes): Promise<void> {
  for (let left = VERIFICATIONS; ; left -= 1) {
    const wrong = await wrongIn(contender, changes);
    if (wrong === null) return;
    if (left === 0)
      throw new Error(`${contender.name} has customer ${wrong} otherwise than as it was last sent`);
    await pause(CALM_MS);
  }
}

async function wrongIn(contender: Contender, changes: Changes): Promise<number | null> {
  const customers = [...changes.expected.keys()];
  for (let at = 0; at < customers.length; at += AT_ONCE) {
    const ids = customers.slice(at, at + AT_ONCE);
    const texts = await contender.texts(ids);
    const wrong = ids.find(
      (id, index) => !texts[index]?.includes(JSON.stringify(changes.expected.get(id)).slice(1, -1)),
    );
    if (wrong !== undefined) return wrong;
  }
  return null;
}
