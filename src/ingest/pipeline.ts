import type { Change } from "../cdc/change.ts";
import { again } from "./again.ts";
import { carryOut } from "./carry-out.ts";
import { load } from "./load.ts";
import type { Outlet } from "./outlet.ts";
import { read } from "./read.ts";
import { receive } from "./receive.ts";
import { owedTo } from "./remembered/verdicts.ts";
import { save } from "./save.ts";
import { createShell, type PipelineOptions, type Shell } from "./shell.ts";
import type { SourceBatch } from "./source.ts";
import { sweep } from "./sweep.ts";
import { both } from "./waiting/both.ts";
import { Stopped } from "./waiting/patience.ts";

/**
 * The path of a change.
 *
 * The naive order (save, publish, acknowledge) loses updates: after a crash between the first two, the redelivered changes are
 * judged duplicates, and nothing is left that would publish what was saved. So what is to be published is part of the saved
 * document, its outbox, and stays there until somebody saves the document who knows it to be published. A batch is
 * acknowledged only after its updates were published, so whatever a crash leaves unpublished is redelivered: all duplicates
 * then, but duplicates that lead to the very documents whose outboxes are not empty.
 *
 * A stream that stays away does not hold up ingest: what cannot be published is left to the relay, see `outlet.ts`.
 *
 * Retries live in `waiting/patience.ts`, between the steps there is nothing but the path.
 */
export interface Pipeline {
  /**
   * Runs until the source ends or the signal aborts, then finishes the batch in hand. An outage of store or source is waited
   * for, one of the stream is not (unless too many customers wait for it); rejects with EXPECTATION_FAILED when a rule with
   * action `fail` is violated, its batch unapplied.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Customers whose updates wait for the stream to come back, as far as this run knows; 0 while it is there. */
  unpublished(): number;
}

/** Lays the path from a source to the store and the update stream. */
export function createPipeline(options: PipelineOptions): Pipeline {
  let outlet: Outlet | null = null;
  return {
    unpublished: () => outlet?.waiting() ?? 0,
    run: async (signal) => {
      const shell = createShell(options, signal);
      outlet = shell.outlet;
      try {
        await flow(shell);
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
      }
    },
  };
}

async function flow(shell: Shell): Promise<void> {
  await shell.source.start(() => shell.store.checkpoints());
  try {
    while (await next(shell));
  } catch (error) {
    if (!(error instanceof Stopped)) await save(shell, { folded: [], quarantine: [], relay: false });
    throw error;
  }
  await turn(shell, []);
}

/** The next batch; false when there is none. With its end nothing keeps the records, while the batch after it is waited for. */
async function next(shell: Shell): Promise<boolean> {
  const batches = await receive(shell, turn);
  if (batches === null) return false;
  await turn(shell, batches);
  return true;
}

/** One batch, from bytes to acknowledgement. An empty one goes round once, and saves what waits for a next write. */
async function turn(shell: Shell, batches: readonly SourceBatch[]): Promise<void> {
  const { acknowledgements, counted, watch } = shell;
  counted.received(batches);
  for (const batch of batches) acknowledgements.track(batch);
  watch("read");
  const { changes, truncates, quarantine } = await read(shell, batches);
  watch("sweep");
  await sweep(shell, truncates);
  let pending: readonly Change[] = changes;
  let owed = null;
  // What a save refuses is put aside by the next round, which there is even when no change is pending.
  for (let round = 0; round === 0 || pending.length > 0 || quarantine.length > 0; round += 1) {
    await shell.pause(round);
    watch("load");
    const gathered = await load(shell, pending);
    const verdicts = { echoes: gathered.routes.echoes, owed };
    const { lost, told } = await carryOut(shell, { gathered, verdicts, quarantine, batches });
    owed = owedTo(lost, verdicts);
    pending = await both(told, again(shell, { changes: pending, gathered, lost }));
  }
  watch("acknowledge");
  for (const batch of batches) acknowledgements.done(batch);
  counted.done(batches, changes);
}
