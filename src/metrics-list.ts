/** One metric of a process, as Prometheus gets it and docs/OPERATIONS.md lists it. */
export interface DeclaredMetric {
  readonly kind: "counter" | "gauge" | "histogram";
  /** Names of its labels, in the order their values are given in. Values come from closed lists, the pipeline file or topics. */
  readonly labels: readonly string[];
  /** What it counts, what it means when it stays that way, and what to do then. */
  readonly help: string;
}

/** Names begin with this. */
export const METRIC_PREFIX = "customer360_";

/** Every metric there is, by its name without the prefix. */
export const METRICS = {
  records_total: {
    kind: "counter",
    labels: [],
    help: "Records received. A sustained rate of 0 while source_lag is above 0 means nothing moves: see kafka_stalled_seconds, retries_total and the log.",
  },
  record_bytes_total: {
    kind: "counter",
    labels: [],
    help: "Bytes of keys and values received. A sustained rise per record means the source sends wider rows: check its connector.",
  },
  batches_total: {
    kind: "counter",
    labels: [],
    help: "Batches received, one partition each. Sustained batches of thousands of records mean a backlog is being worked off: see source_lag.",
  },
  verdicts_total: {
    kind: "counter",
    labels: ["table", "verdict"],
    help: "What became of changes. A sustained share of late or duplicate means the source repeats itself or sends out of order: check sequenceBy and the connector.",
  },
  tie_conflicts_total: {
    kind: "counter",
    labels: ["table"],
    help: "Changes of one row that claim the same position with other content. A sustained rate means sequenceBy does not tell changes apart: name a better column.",
  },
  skipped_total: {
    kind: "counter",
    labels: ["table", "skip"],
    help: "Records that are no changes. A sustained rate of unmapped-topic means records are read that no table declares: take their topic out, or declare it.",
  },
  rules_total: {
    kind: "counter",
    labels: ["table", "rule"],
    help: "Violations of quality rules, as action:rule. A sustained rate means the source breaks what the pipeline file expects of it: repair the source or the rule.",
  },
  quarantined_total: {
    kind: "counter",
    labels: ["table", "code"],
    help: "Records put aside, by refusal. A sustained rate means customers miss these changes: look at them with the quarantine query; the guide has a remedy per code.",
  },
  saved_customers_total: {
    kind: "counter",
    labels: [],
    help: "Documents saved. Sustained far below the applied verdicts is good (many changes per write); a sustained rate near them means small batches, one write per change.",
  },
  save_conflicts_total: {
    kind: "counter",
    labels: [],
    help: "Documents somebody else saved first: loaded and folded again. A sustained share above a tenth of saved_customers_total means processes work on the same customers: key topics by customer.",
  },
  retries_total: {
    kind: "counter",
    labels: ["outage"],
    help: "Attempts repeated because source, store or updates did not work. A sustained rate means that server is away or refuses: the log says why; ingest waits for source and store.",
  },
  unpublished_customers: {
    kind: "gauge",
    labels: [],
    help: "Customers whose saved updates wait for the update stream, as far as this process knows. Sustained above 0 means the stream is away and subscribers are stale: repair it; from 100,000 on ingest waits.",
  },
  relay_customers: {
    kind: "gauge",
    labels: ["waiting"],
    help: "Customers the relay found at its last look, about 200 of each kind at most: unpublished, or due for time alone. Sustained at 200 means it cannot keep up: check store and update stream, add a process.",
  },
  lag_seconds: {
    kind: "histogram",
    labels: ["clock"],
    help: "Age by the clock of source, connector and broker when a batch is done (its longest waiting record), by applied when updates are published, by sent from applied until subscriptions are told. A sustained rise at one clock and not before it names the slow link: repair or scale that one.",
  },
  source_lag: {
    kind: "gauge",
    labels: ["topic"],
    help: "Records (bytes for files) that are there and not delivered. A sustained rise means ingest is slower than the source: add ingest processes up to the partitions, or look at retries_total.",
  },
  kafka_partitions: {
    kind: "gauge",
    labels: [],
    help: "Partitions of ours. Sustained 0 with more processes than partitions is idle capacity; with fewer, the group does not let us in: see the log.",
  },
  kafka_missing_topics: {
    kind: "gauge",
    labels: [],
    help: "Topics the pipeline names that do not exist. Sustained above 0 means a connector was never started or a name is wrong: readyz lists them.",
  },
  kafka_discontinuities_total: {
    kind: "counter",
    labels: [],
    help: "Times Kafka no longer had the records we were to read next. Any is a loss or a topic made anew; a sustained rate means retention is shorter than our lag: lengthen it and read the table anew.",
  },
  kafka_assignments_total: {
    kind: "counter",
    labels: [],
    help: "Rebalances: times partitions were handed to us. A sustained rate means processes come and go or stop answering the group: look for restarts and long pauses (event_loop_delay_seconds).",
  },
  kafka_sessions_total: {
    kind: "counter",
    labels: [],
    help: "Memberships in the group begun. A sustained rate means the connection to Kafka keeps failing: the log says why.",
  },
  kafka_stalled_seconds: {
    kind: "gauge",
    labels: [],
    help: "For how long records have waited in Kafka without any coming. Sustained above 0 means a broker or the group is stuck; the process ends itself when it lasts: check the brokers.",
  },
  subscriptions: {
    kind: "gauge",
    labels: [],
    help: "Subscriptions open. A sustained rise while nobody new connects means clients do not end theirs: look at what they do on reconnecting.",
  },
  watched: {
    kind: "gauge",
    labels: [],
    help: "Customers and fields that live subscriptions watch. Sustained above 0 without subscriptions would be a leak: report it.",
  },
  updates_read_total: {
    kind: "counter",
    labels: [],
    help: "Updates read from the stream. A sustained rate of 0 while an ingest process publishes means this process is cut off from the stream: see readyz.",
  },
  gaps_total: {
    kind: "counter",
    labels: ["reason"],
    help: "Subscriptions told that updates are missing, then given a fresh snapshot. Sustained SLOW_CONSUMER means clients read too slowly; RETENTION, that the stream is kept too short; RESTART, that it keeps losing its data.",
  },
  coalesced_total: {
    kind: "counter",
    labels: [],
    help: "Updates folded into a later one before they were sent (mode LATEST). A sustained share means clients or their network cannot follow: fewer fields, fewer customers per subscription.",
  },
  ready: {
    kind: "gauge",
    labels: [],
    help: "1 while readyz answers 200. Sustained 0 means this process does not do its work: readyz says why.",
  },
  warnings: {
    kind: "gauge",
    labels: [],
    help: "Warnings in readyz. Sustained above 0 means something needs a person although work goes on: readyz says what.",
  },
  memory_bytes: {
    kind: "gauge",
    labels: ["kind"],
    help: "Memory of the process: resident, heap in use, outside the heap. A sustained rise over hours without more subscriptions or backlog is a leak: take a heap snapshot, restart.",
  },
  event_loop_delay_seconds: {
    kind: "gauge",
    labels: ["quantile"],
    help: "How late the event loop was since the last look. Sustained p99 above 0.1 means too much work for one process: add processes, or narrow subscriptions and queries.",
  },
  cpu_seconds_total: {
    kind: "counter",
    labels: [],
    help: "Processor time used. Sustained near 1 per second means the process is at its limit: add another beside it.",
  },
  start_time_seconds: {
    kind: "gauge",
    labels: [],
    help: "When the process started, seconds since 1970. It stands still: a sustained series of new values means a crash loop, and the log's last lines say why.",
  },
} as const satisfies Readonly<Record<string, DeclaredMetric>>;
