import type { Clock } from "../clock.ts";
import type { Plan } from "../customer/plan.ts";
import type { Checkpoint, Lag } from "../ingest/source.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Reads } from "../store/reads.ts";
import type { Hub } from "../updates/hub.ts";
import type { Cursors } from "./frames/cursor.ts";

/** Who asks. Cursors and shared executions are bound to `scope`, so two viewers share bytes only when theirs are equal. */
export interface Viewer {
  readonly id: string;
  /** Names exactly what the viewer may see; equal scopes see equal bytes. */
  readonly scope: string;
}

/** The one viewer there is until authentication exists. */
export const OPEN_VIEWER: Viewer = { id: "anonymous", scope: "everything" };

/** What ingest tells the API about itself; absent (null) in a process that does not ingest. */
export interface IngestStatus {
  lag(): Promise<readonly Lag[]>;
  checkpoints(): Promise<readonly Checkpoint[]>;
}

/** What every resolver gets. One per process but for `viewer`, which comes with each request or socket. */
export interface Context {
  readonly viewer: Viewer;
  readonly plan: Plan;
  readonly reads: Reads;
  readonly hub: Hub;
  readonly cursors: Cursors;
  readonly ingest: IngestStatus | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}
