import type { ApplyInput } from "../customer/applied.ts";
import type { Quarantined } from "../store/store.ts";
import { isolate, tryAll, type Folded } from "./apply.ts";
import type { Gathered } from "./load.ts";
import { quarantinePoison, quarantineUnsavable, quarantineUnroutable } from "./quarantine.ts";
import { countVerdicts, type Counting } from "./remembered/verdicts.ts";
import { save, type SaveOutcome } from "./save.ts";
import type { Shell } from "./shell.ts";
import type { SourceBatch } from "./source.ts";

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

/** What carrying out has come to when all is saved. */
export interface Carried {
  /** Those whose save was a conflict. Everything that could be saved has been. */
  readonly lost: readonly Folded[];
  /** Resolves once what was saved is published as well. */
  readonly told: Promise<unknown>;
}

/**
 * Applies, saves and publishes what was gathered; answers as soon as all is saved.
 *
 * A store in another process would have nothing to do while we compute, and we would have nothing to do while it writes. So the
 * customers go in portions: while one is saved the next is applied. Customers do not depend on one another, a portion publishes
 * only what it has saved, in the order of portions, and nothing is acknowledged before all are through. A store in this process
 * computes on our own time, and has everything in one save.
 */
export async function carryOut(shell: Shell, work: Work): Promise<Carried> {
  const line: Finishing[] = [];
  let areSaved = false;
  try {
    const failed: ApplyInput[] = [];
    const portions = portionsOf(shell, work.gathered.inputs);
    for (const [at, inputs] of portions.entries()) {
      shell.watch("apply");
      const tried = await tryAll(shell, inputs);
      failed.push(...tried.failed);
      const folded =
        at < portions.length - 1 ? tried.folded : [...tried.folded, ...(await putAside(shell, work, failed))];
      await line.at(-UNDER_WAY)?.told;
      line.push(finish(shell, work, { folded, isFirst: at === 0, before: line.at(-1)?.told }));
    }
    const lost = (await Promise.all(line.map(({ saved }) => saved))).flat();
    areSaved = true;
    return { lost, told: Promise.all(line.map(({ told }) => told)) };
  } finally {
    // Whoever met a failure while other portions were still under way could begin anew beside them.
    if (!areSaved) await Promise.allSettled(line.map(({ told }) => told));
  }
}

function portionsOf({ store }: Shell, inputs: readonly ApplyInput[]): readonly (readonly ApplyInput[])[] {
  if (!store.shared || inputs.length <= PORTION) return [inputs];
  return Array.from({ length: Math.ceil(inputs.length / PORTION) }, (_, at) =>
    inputs.slice(at * PORTION, (at + 1) * PORTION),
  );
}

/**
 * Puts aside what leads to nobody and what fails; answers who could be applied without it. The last thing to be tried: what was
 * applied by then tells a faulty change from a general fault.
 */
async function putAside(
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
  readonly before: Promise<void> | undefined;
}

/** A portion on its way. */
interface Finishing {
  /** Those whose save was a conflict. */
  readonly saved: Promise<readonly Folded[]>;
  /** Settles last. */
  readonly told: Promise<void>;
}

/** Takes a portion from applied to published. */
function finish(shell: Shell, work: Work, { folded, isFirst, before }: Portion): Finishing {
  const saving = savePortion(shell, work, { folded, takesAlong: isFirst });
  const saved = saving.then(({ lost }) => lost);
  const told = tell(shell, saving, before);
  // A failure is met where the line is awaited, which may be later.
  for (const each of [saved, told]) each.catch(() => {});
  return { saved, told };
}

async function savePortion(
  shell: Shell,
  { verdicts, quarantine, gathered, batches }: Work,
  { folded, takesAlong }: { readonly folded: readonly Folded[]; readonly takesAlong: boolean },
): Promise<SaveOutcome> {
  const { tallies, outlet } = shell;
  countVerdicts(tallies, folded, { ...verdicts, sign: 1 });
  shell.watch("save");
  const saving = { folded, quarantine: quarantine.splice(0), relay: outlet.isAway(), takesAlong };
  const outcome = await save(shell, saving);
  const { lost, refused } = outcome;
  quarantine.push(...quarantineUnsavable(shell, refused, { echoes: gathered.routes.echoes, batches }));
  countVerdicts(tallies, [...lost, ...refused.map((each) => each.folded)], { ...verdicts, sign: -1 });
  return outcome;
}

/** Publishes what a portion has saved, behind the portion before it. */
async function tell(
  shell: Shell,
  saving: Promise<SaveOutcome>,
  before: Promise<void> | undefined,
): Promise<void> {
  const { outlet, counted } = shell;
  const { updates, left } = await saving;
  await before;
  shell.watch("publish");
  await outlet.publish(updates, left);
  if (!outlet.isAway()) counted.published(updates);
}
