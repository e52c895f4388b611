import { isWaiting } from "./save.ts";
import type { Shell } from "./shell.ts";
import type { SourceBatch } from "./source.ts";
import { othersTurn } from "./waiting/others-turn.ts";

/** What to do with nothing at hand: an empty turn saves what waits for a next write. */
type Idle = (shell: Shell, batches: readonly SourceBatch[]) => Promise<void>;

/**
 * The next batches, of as many partitions as are ready: a backlog comes in large pieces, so that many changes of a customer
 * become one write. While the source has nothing, checkpoints do not wait longer than `idleMs`. Null at the end or the stop.
 */
export async function receive(shell: Shell, idle: Idle): Promise<readonly SourceBatch[] | null> {
  shell.watch("receive");
  await othersTurn();
  const held = shell.backlog.shift();
  if (held !== undefined) return shell.signal.aborted ? null : held;
  if (shell.signal.aborted) return null;
  const next = shell.source.next(shell.signal);
  if (isWaiting(shell) && !(await isReady(shell, next))) await idle(shell, []);
  const batches = await next;
  if (batches === null) return null;
  const [first = [], ...rest] = merge(batches, shell.limits.batchBytes);
  shell.backlog.push(...rest);
  return first;
}

/** True when the source answers within `idleMs`; a failure counts as an answer, to be met where it is awaited. */
async function isReady({ clock, limits }: Shell, next: Promise<unknown>): Promise<boolean> {
  const enough = new AbortController();
  const answered = next.then(
    () => true,
    () => true,
  );
  const waited = clock.wait(limits.idleMs, enough.signal).then(() => false);
  const ready = await Promise.race([answered, waited]);
  enough.abort();
  return ready;
}

/** Puts batches together until they reach so many bytes; a single larger one stands alone. */
export function merge(
  batches: readonly SourceBatch[],
  maxBytes: number,
): readonly (readonly SourceBatch[])[] {
  const merged: SourceBatch[][] = [];
  let bytes = Infinity;
  for (const batch of batches) {
    const last = merged.at(-1);
    if (last === undefined || bytes + batch.bytes > maxBytes) {
      merged.push([batch]);
      bytes = batch.bytes;
    } else {
      last.push(batch);
      bytes += batch.bytes;
    }
  }
  return merged;
}
