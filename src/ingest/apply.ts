import type { Change } from "../cdc/change.ts";
import type { Applied, ApplyInput } from "../customer/applied.ts";
import { apply } from "../customer/apply.ts";
import type { Page } from "../customer/customer.ts";
import type { Shell } from "./shell.ts";

/** A customer before and after its changes. */
export interface Folded {
  readonly input: ApplyInput;
  readonly applied: Applied;
}

/** A change on which `apply` itself fails, which is a fault of ours. */
export interface Poison {
  readonly change: Change;
  readonly reason: string;
}

/** What applying a batch came to. */
export interface FoldedBatch {
  readonly folded: readonly Folded[];
  readonly poison: readonly Poison[];
}

/** What was tried. */
export interface Tried {
  readonly folded: readonly Folded[];
  /** On whose changes `apply` throws. */
  readonly failed: readonly ApplyInput[];
}

/** Applies each customer's changes; what fails is singled out. */
export async function applyAll(shell: Shell, inputs: readonly ApplyInput[]): Promise<FoldedBatch> {
  const { folded, failed } = await tryAll(shell, inputs);
  const { folded: cured, poison } = await isolate(shell, failed);
  return { folded: cured.length === 0 ? folded : [...folded, ...cured], poison };
}

/** Applies each customer's changes; pages that have to be known whole are loaded and the customer is applied again. */
export async function tryAll(shell: Shell, inputs: readonly ApplyInput[]): Promise<Tried> {
  const folded: Folded[] = [];
  const failed: ApplyInput[] = [];
  let incomplete: { readonly input: ApplyInput; readonly pages: readonly Page[] }[] = [];
  let pending = inputs;
  while (pending.length > 0) {
    for (const input of pending) {
      const applied = attempt(shell, input);
      if (applied === null) failed.push(input);
      else if (applied.needsWhole.length === 0) folded.push({ input, applied });
      else incomplete.push({ input, pages: applied.needsWhole });
    }
    pending = await withWholePages(shell, incomplete);
    incomplete = [];
  }
  return { folded, failed };
}

function attempt({ plan, sound }: Shell, input: ApplyInput): Applied | null {
  try {
    const applied = apply(input, plan);
    for (const { table } of input.changes) sound.add(table);
    return applied;
  } catch {
    return null;
  }
}

async function withWholePages(
  shell: Shell,
  incomplete: readonly { readonly input: ApplyInput; readonly pages: readonly Page[] }[],
): Promise<readonly ApplyInput[]> {
  if (incomplete.length === 0) return [];
  const asked = incomplete.flatMap(({ pages }) => pages);
  if (asked.some(({ whole }) => whole)) throw new Error("a page loaded whole was asked for whole");
  const { pages } = await shell.store.load({
    customers: [],
    pages: asked.map(({ customerId, table, page }) => ({ customerId, table, page, keys: "all" })),
    keys: {},
  });
  return incomplete.map(({ input }) => {
    const whole = pages.filter(({ customerId }) => customerId === input.customer.customerId);
    const others = input.pages.filter(
      ({ table, page }) => !whole.some((other) => other.table === table && other.page === page),
    );
    return { ...input, pages: [...others, ...whole] };
  });
}

/**
 * Finds the changes on which `apply` throws and applies the rest without them.
 *
 * Changes are given up only if changes of the same table were applied before or beside them. If nothing works the fault is
 * general, and giving up would put a whole stream in quarantine: then the error ends the run with nothing acknowledged. So it
 * comes after everything else of a batch was tried.
 */
export async function isolate(shell: Shell, failed: readonly ApplyInput[]): Promise<FoldedBatch> {
  if (failed.length === 0) return { folded: [], poison: [] };
  const poison: Poison[] = [];
  const cured: ApplyInput[] = [];
  for (const input of failed) {
    const faults = new Map<Change, string>();
    for (const change of input.changes) {
      const fault = faultOf(shell, { ...input, changes: [change] });
      if (fault !== null) faults.set(change, fault);
    }
    const rest = input.changes.filter((change) => !faults.has(change));
    const together = faultOf(shell, { ...input, changes: rest });
    if (together !== null) for (const change of rest) faults.set(change, together);
    else if (rest.length > 0) cured.push({ ...input, changes: rest });
    for (const [change, reason] of faults) poison.push({ change, reason });
  }
  const [general] = poison.filter(({ change }) => !shell.sound.has(change.table));
  if (general !== undefined)
    throw new Error(`changes of ${general.change.table} cannot be applied: ${general.reason}`);
  const again = await applyAll(shell, cured);
  return { folded: again.folded, poison: [...poison, ...again.poison] };
}

function faultOf({ plan, sound }: Shell, input: ApplyInput): string | null {
  try {
    apply(input, plan);
    for (const { table } of input.changes) sound.add(table);
    return null;
  } catch (error) {
    return String(error);
  }
}
