import type { METRICS } from "./metrics-list.ts";

type Declared = typeof METRICS;
type Named<Kind> = {
  [Name in keyof Declared]: Declared[Name]["kind"] extends Kind ? Name : never;
}[keyof Declared];
/** One value for each label of a metric, in their order. */
type LabelsOf<Name extends keyof Declared> = Texts<Declared[Name]["labels"]>;
type Texts<Names extends readonly string[]> = { readonly [At in keyof Names]: string };

/** Names of what only rises. */
export type CounterName = Named<"counter">;
/** Names of what goes up and down. */
export type GaugeName = Named<"gauge">;
/** Names of distributions. */
export type HistogramName = Named<"histogram">;

/**
 * PORT. Where a process counts what it does. Never given customers' values, and no label without a bound. Cheap, but not
 * free: called per batch, never per record.
 */
export interface Metrics {
  add<Name extends CounterName>(name: Name, count: number, ...labels: LabelsOf<Name>): void;
  /** For what somebody else counts: the count so far. */
  total<Name extends CounterName>(name: Name, count: number, ...labels: LabelsOf<Name>): void;
  set<Name extends GaugeName>(name: Name, value: number, ...labels: LabelsOf<Name>): void;
  /** Forgets all labels of a gauge: what is not set again is gone. */
  clear(name: GaugeName): void;
  observe<Name extends HistogramName>(name: Name, seconds: number, ...labels: LabelsOf<Name>): void;
}

/** What a reader of metrics gets. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Counts nothing. */
export const noMetrics: Metrics = {
  add: () => {},
  total: () => {},
  set: () => {},
  clear: () => {},
  observe: () => {},
};
