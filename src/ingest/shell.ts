import type { SourceRecord } from "../cdc/change.ts";
import { createDecoder, type Decoded } from "../cdc/decode.ts";
import type { TablePlan } from "../cdc/table.ts";
import { ownerOfTopics } from "../cdc/topics.ts";
import type { Clock } from "../clock.ts";
import type { Plan } from "../customer/plan.ts";
import type { Log } from "../log.ts";
import { noMetrics, type Metrics } from "../metrics.ts";
import type { Store } from "../store/store.ts";
import type { Updates } from "../updates/updates.ts";
import { createOutlet, type Outlet } from "./outlet.ts";
import { createAcknowledgements, type Acknowledgements } from "./remembered/acknowledgements.ts";
import { createBookkeeping, type Bookkeeping } from "./remembered/bookkeeping.ts";
import { createConfirms, type Confirms } from "./remembered/confirms.ts";
import { createCounted, type Counted } from "./remembered/counted.ts";
import { createDocuments, type Documents } from "./remembered/documents.ts";
import { createPublished, type Published } from "./remembered/published.ts";
import { createTallies, type Tallies } from "./remembered/tallies.ts";
import { createWatermarks, type Watermarks } from "./remembered/watermarks.ts";
import type { Source, SourceBatch } from "./source.ts";
import { createPatience, Stopped, type Patience } from "./waiting/patience.ts";
import { createSetbacks, type Setbacks } from "./waiting/setbacks.ts";

/** The steps of the path, in order; what `watch` is told as each begins. */
export type Step = "receive" | "read" | "sweep" | "load" | "apply" | "save" | "publish" | "acknowledge";

/** Bounds of the pipeline. */
export interface PipelineLimits {
  /**
   * Bytes of keys and values worked on at once; default 4,000,000, of a shared store 12,000,000.
   * Backlogs are cut at it, single batches are not.
   */
  readonly batchBytes: number;
  /** How long a finished batch waits for a next save to carry its checkpoint, milliseconds; default 200. */
  readonly idleMs: number;
  /**
   * How often at most a save takes along counts, checkpoints and confirmations, milliseconds; default 0 for every time, of a
   * shared store 100: there each is a request of its own, and small batches follow one another by the millisecond.
   */
  readonly bookkeepingMs: number;
  /** For how long truncate watermarks are good that were read, milliseconds; default 0, of a shared store 100. */
  readonly watermarksMs: number;
  /** Cached documents; default 20,000. */
  readonly documents: number;
  /** Estimated bytes of cached documents; default 128,000,000. */
  readonly documentBytes: number;
  /** Customers whose published revision is remembered; default 100,000. */
  readonly published: number;
  /** How long the update stream may fail before ingest goes on without it, milliseconds; default 2,000. */
  readonly awayAfterMs: number;
  /** How many customers may wait for the update stream before ingest waits for it as well; default 100,000. */
  readonly unpublished: number;
}

/** What a pipeline is made of. */
export interface PipelineOptions {
  readonly plan: Plan;
  readonly source: Source;
  readonly store: Store;
  readonly updates: Pick<Updates, "publish">;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<PipelineLimits>;
  /** Where it counts what it does; nowhere by default. */
  readonly metrics?: Metrics;
  /** Where it notes what keeps failing; nowhere anybody looks by default. */
  readonly setbacks?: Setbacks;
  /** Told of each step as it begins: for measuring, must not throw. */
  readonly watch?: (step: Step) => void;
}

const LIMITS: PipelineLimits = {
  batchBytes: 4_000_000,
  idleMs: 200,
  bookkeepingMs: 0,
  watermarksMs: 0,
  documents: 20_000,
  documentBytes: 128_000_000,
  published: 100_000,
  awayAfterMs: 2_000,
  unpublished: 100_000,
};

/**
 * Of a store in another process. The more changes of a customer come together, the fewer writes there are, and what is written
 * elsewhere keeps nobody here from being served; a small request costs both sides more than what it is about.
 */
const SHARED: Partial<PipelineLimits> = { batchBytes: 12_000_000, bookkeepingMs: 100, watermarksMs: 100 };

/** What the steps share during one run: the ports, made patient, and what is remembered between batches. */
export interface Shell {
  readonly plan: Plan;
  readonly tables: ReadonlyMap<string, TablePlan>;
  /** The table that reads a topic; undefined when none does. */
  readonly tableOf: (topic: string) => TablePlan | undefined;
  readonly decode: (record: SourceRecord) => Decoded;
  readonly source: Pick<Source, "start" | "next" | "unreadable">;
  readonly store: Pick<Store, "shared" | "load" | "save" | "checkpoints" | "holders">;
  readonly outlet: Outlet;
  readonly counted: Counted;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Batches received and cut apart, still to be worked on. */
  readonly backlog: (readonly SourceBatch[])[];
  /** Waits before a round of saving that follows several conflicts. */
  readonly pause: (round: number) => Promise<void>;
  readonly limits: PipelineLimits;
  readonly watch: (step: Step) => void;
  readonly watermarks: Watermarks;
  readonly bookkeeping: Bookkeeping;
  readonly documents: Documents;
  readonly published: Published;
  readonly acknowledgements: Acknowledgements;
  readonly confirms: Confirms;
  readonly tallies: Tallies;
  /** Tables some change of which was applied without a fault since the start: what tells poison from a general fault. */
  readonly sound: Set<string>;
}

/** A fresh shell for one run. */
export function createShell(options: PipelineOptions, signal: AbortSignal): Shell {
  const { plan, source, clock, log, metrics = noMetrics, setbacks = createSetbacks(clock) } = options;
  const limits = { ...LIMITS, ...(options.store.shared ? SHARED : {}), ...options.limits };
  const patience = createPatience({ clock, log, metrics, setbacks, signal });
  const watermarks = createWatermarks(clock, limits.watermarksMs);
  const store = watched(patientStore(options.store, patience), { watermarks, clock });
  const published = createPublished(limits.published);
  const confirms = createConfirms();
  return {
    plan,
    tables: new Map(plan.tables.map((table) => [table.name, table])),
    tableOf: ownerOfTopics(plan.tables),
    decode: createDecoder(plan.tables),
    source: patientSource(source, patience),
    store,
    outlet: createOutlet({
      stream: options.updates,
      store,
      published,
      confirms,
      patience,
      clock,
      log,
      metrics,
      signal,
      awayAfterMs: limits.awayAfterMs,
      most: limits.unpublished,
    }),
    counted: createCounted(metrics, clock),
    clock,
    log,
    signal,
    backlog: [],
    pause: (round) => pause(clock, signal, round),
    limits,
    watch: options.watch ?? (() => {}),
    watermarks,
    bookkeeping: createBookkeeping(clock, limits.bookkeepingMs),
    documents: createDocuments({ count: limits.documents, bytes: limits.documentBytes }),
    published,
    acknowledgements: createAcknowledgements((checkpoints) => tell(source, log, checkpoints)),
    confirms,
    tallies: createTallies(),
    sound: new Set(),
  };
}

/** The first conflicts are met at once; with writers that keep colliding it helps to step back. */
async function pause(clock: Clock, signal: AbortSignal, round: number): Promise<void> {
  if (round < 4) return;
  if (signal.aborted) throw new Stopped("conflicts until the stop");
  await clock.wait(Math.min(1_000, 10 * 2 ** Math.min(round - 4, 10)), signal);
}

function patientSource(source: Source, patience: Patience): Shell["source"] {
  return {
    start: (checkpoints) => patience("starting the source", () => source.start(checkpoints)),
    next: (signal) => patience("reading the source", () => source.next(signal)),
    unreadable: () => source.unreadable(),
  };
}

function patientStore(store: Store, patience: Patience): Shell["store"] {
  return {
    shared: store.shared,
    load: (request) => patience("loading", () => store.load(request)),
    save: (save) => patience("saving", () => store.save(save)),
    checkpoints: () => patience("loading checkpoints", () => store.checkpoints()),
    holders: (table, after, limit) => patience("loading holders", () => store.holders(table, after, limit)),
  };
}

/** Keeps in mind what passes of watermarks. */
function watched(
  store: Shell["store"],
  { watermarks, clock }: { readonly watermarks: Watermarks; readonly clock: Clock },
): Shell["store"] {
  return {
    ...store,
    load: async (request) => {
      const fromMs = clock.nowMs();
      const loaded = await store.load(request);
      watermarks.seen(loaded.truncates, fromMs);
      return loaded;
    },
    save: async (save) => {
      if (Object.keys(save.truncates).length > 0) watermarks.forget();
      return store.save(save);
    },
  };
}

/** Our own checkpoint is stored already, so a source that cannot be told only redelivers less precisely after a restart. */
async function tell(
  source: Source,
  log: Log,
  checkpoints: Parameters<Source["acknowledge"]>[0],
): Promise<void> {
  try {
    await source.acknowledge(checkpoints);
  } catch (error) {
    log.warn("the source did not take an acknowledgement", { reason: String(error) });
  }
}
