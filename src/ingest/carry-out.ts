import type { ApplyInput } from "../customer/applied.ts";
import type { Quarantined } from "../store/store.ts";
import { isolate, tryAll, type Folded } from "./apply.ts";
import type { Gathered } from "./load.ts";
import { quarantinePoison, quarantineRefused, quarantineUnroutable } from "./quarantine.ts";
import { save } from "./save.ts";
import type { Shell } from "./shell.ts";
import type { SourceBatch } from "./source.ts";
import { countVerdicts, type Counting } from "./verdicts.ts";

/** What is to be applied, saved and published. */
export interface Work {
  readonly gathered: Gathered;
  /** What is counted of it. */
  readonly verdicts: Counting;
  /** What waits to be put aside: taken by the saves, and added to when a customer is refused. */
  readonly quarantine: Quarantined[];
  readonly batches: readonly SourceBatch[];
}

/** Customers of a portion: enough for a bulk to be worth its way, few enough for the store to begin soon. */
const PORTION = 500;
/** Portions on their way to the store: one it works on and one that waits there. */
const UNDER_WAY = 2;

/**
 * Applies, saves and publishes what was gathered; answers whose save was a conflict.
 *
 * A store in another process would have nothing to do while we compute, and we would have nothing to do while it writes. So the
 * customers go in portions: while one is saved the next is applied. Customers do not depend on one another, a portion publishes only
 * what it has saved, in the order of portions, and nothing is acknowledged before all are through. A store in this process
 * computes on our own time, and has everything in one save.
 */
export async function carryOut(shell: Shell, work: Work): Promise<readonly Folded[]> {
  const line: Promise<readonly Folded[]>[] = [];
  try {
    const failed: ApplyInput[] = [];
    const portions = portionsOf(shell, work.gathered.inputs);
    for (const [at, inputs] of portions.entries()) {
      shell.watch("apply");
      const tried = await tryAll(shell, inputs);
      failed.push(...tried.failed);
      const folded =
        at < portions.length - 1 ? tried.folded : [...tried.folded, ...(await last(shell, work, failed))];
      await line.at(-UNDER_WAY);
      const finished = finish(shell, work, { folded, isFirst: at === 0, before: line.at(-1) });
      // Met where the line is awaited.
      finished.catch(() => {});
      line.push(finished);
    }
  } finally {
    // Also when one fails: what goes on after a failure was answered might meet its repetition.
    await Promise.allSettled(line);
  }
  return (await Promise.all(line)).flat();
}

function portionsOf({ store }: Shell, inputs: readonly ApplyInput[]): readonly (readonly ApplyInput[])[] {
  if (!store.shared || inputs.length <= PORTION) return [inputs];
  return Array.from({ length: Math.ceil(inputs.length / PORTION) }, (_, at) =>
    inputs.slice(at * PORTION, (at + 1) * PORTION),
  );
}

/** What fails is singled out when all else was tried. */
async function last(
  shell: Shell,
  { gathered, quarantine, batches }: Work,
  failed: readonly ApplyInput[],
): Promise<readonly Folded[]> {
  const { folded, poison } = await isolate(shell, failed);
  quarantine.push(...quarantineUnroutable(shell, gathered.routes.refused, batches));
  quarantine.push(...quarantinePoison(shell, poison, batches));
  return folded;
}

interface Portion {
  readonly folded: readonly Folded[];
  readonly isFirst: boolean;
  /** The portion before it. */
  readonly before: Promise<unknown> | undefined;
}

/** From applied to published. */
async function finish(
  shell: Shell,
  { verdicts, quarantine, gathered, batches }: Work,
  { folded, isFirst, before }: Portion,
): Promise<readonly Folded[]> {
  const { tallies, outlet, counted } = shell;
  countVerdicts(tallies, folded, { ...verdicts, sign: 1 });
  shell.watch("save");
  const relay = outlet.isAway();
  const saving = { folded, quarantine: quarantine.splice(0), relay, takesAlong: isFirst };
  const { updates, left, lost, refused } = await save(shell, saving);
  quarantine.push(...quarantineRefused(shell, refused, { echoes: gathered.routes.echoes, batches }));
  countVerdicts(tallies, [...lost, ...refused.map((each) => each.folded)], { ...verdicts, sign: -1 });
  await before;
  shell.watch("publish");
  await outlet.publish(updates, left);
  if (!outlet.isAway()) counted.published(updates);
  return lost;
}
