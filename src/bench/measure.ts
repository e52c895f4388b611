/** One side of a comparison: does a fixed amount of work and says how much. */
export interface Side {
  /** Makes what a run needs and what is not to be measured; between the garbage collection and the run. */
  readonly prepare?: () => unknown;
  /** Answers how many operations it did. */
  readonly run: () => number | Promise<number>;
  /** Measures the process that does the work; this one when absent. */
  readonly meter?: Meter;
}

/** What a comparison found. Ratios are the median over interleaved pairs, so that drift of the machine cancels out. */
export interface Comparison {
  /** Median of (subject / baseline) in CPU microseconds per operation. */
  readonly cpuRatio: number;
  /** Median of (subject / baseline) in operations per second. */
  readonly rateRatio: number;
  /** Least and greatest CPU ratio of any pair. */
  readonly spread: readonly [number, number];
  /** Medians of both sides. */
  readonly subject: Cost;
  readonly baseline: Cost;
}

/** What one run cost: CPU microseconds per operation, and operations per second of wall time. */
export interface Cost {
  readonly cpuUs: number;
  readonly rate: number;
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The value below which the share `q` (0..1) of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Counts processor time and wall time of work done in between, in this process or another. */
export interface Meter {
  /** Processor time used so far by the measured process (user + system), microseconds. */
  cpuUs(): number | Promise<number>;
  /** Frees what can be freed, so that one side does not pay for the garbage of the other. */
  settle(): void | Promise<void>;
}

/** Measures this process. */
export const ownMeter: Meter = {
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  settle: () => globalThis.gc?.(),
};

/**
 * A side that has just done the same once when it is measured. A collection of the whole heap, as there is one before each
 * measurement, leaves the young generation at its smallest: until it has grown again a run pays for many more collections
 * (a repeat nearly twice its time), which a process that ingests all day never sees.
 */
export function steady(side: Side): Side {
  return { ...side, prepare: side.run };
}

/** Runs one side once. */
export async function cost(side: Side): Promise<Cost> {
  const meter = side.meter ?? ownMeter;
  await meter.settle();
  await side.prepare?.();
  const cpuUs = await meter.cpuUs();
  const start = process.hrtime.bigint();
  const operations = await side.run();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { cpuUs: ((await meter.cpuUs()) - cpuUs) / operations, rate: operations / seconds };
}

/** What is compiled on its way costs a multiple until it is. */
export const WARM_UP_PAIRS = 3;

/** Runs subject and baseline alternately, a few pairs first to warm up, and compares them pair by pair. */
export async function compare(subject: Side, baseline: Side, pairs = 5): Promise<Comparison> {
  for (let pair = 0; pair < WARM_UP_PAIRS; pair += 1) {
    await cost(baseline);
    await cost(subject);
  }
  const costs: { subject: Cost; baseline: Cost }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const [one, other] = pair % 2 === 0 ? [baseline, subject] : [subject, baseline];
    const first = await cost(one);
    const second = await cost(other);
    costs.push(pair % 2 === 0 ? { baseline: first, subject: second } : { baseline: second, subject: first });
  }
  const cpuRatios = costs.map((pair) => pair.subject.cpuUs / pair.baseline.cpuUs);
  return {
    cpuRatio: median(cpuRatios),
    rateRatio: median(costs.map((pair) => pair.subject.rate / pair.baseline.rate)),
    spread: [Math.min(...cpuRatios), Math.max(...cpuRatios)],
    subject: middle(costs.map((pair) => pair.subject)),
    baseline: middle(costs.map((pair) => pair.baseline)),
  };
}

function middle(costs: readonly Cost[]): Cost {
  return { cpuUs: median(costs.map(({ cpuUs }) => cpuUs)), rate: median(costs.map(({ rate }) => rate)) };
}

/** The CPU time of both sides in words, with the spread of the ratio over the pairs. */
export function inWords({ subject, baseline, spread: [least, most] }: Comparison, of: string): string {
  const pairs = `pairs ${least.toFixed(2)} to ${most.toFixed(2)}`;
  return `${subject.cpuUs.toFixed(1)} us CPU against ${baseline.cpuUs.toFixed(1)} us ${of}; ${pairs}`;
}
