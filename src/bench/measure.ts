/** One side of a comparison: does a fixed amount of work and says how much. */
export interface Side {
  readonly run: () => number | Promise<number>;
}

/** What a comparison found. Ratios are the median over interleaved pairs, so that drift of the machine cancels out. */
export interface Comparison {
  /** Median of (subject / baseline) in CPU microseconds per operation. */
  readonly cpuRatio: number;
  /** Median of (subject / baseline) in operations per second. */
  readonly rateRatio: number;
  /** Least and greatest CPU ratio of any pair. */
  readonly spread: readonly [number, number];
  readonly subjectCpuUs: number;
  readonly baselineCpuUs: number;
}

/** CPU and wall time of one run, per operation. */
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

/** Runs one side once, measuring CPU (user + system of this process) and wall time. */
export async function cost(side: Side): Promise<Cost> {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const wall = process.hrtime.bigint();
  const operations = await side.run();
  const used = process.cpuUsage(cpu);
  const seconds = Number(process.hrtime.bigint() - wall) / 1e9;
  return { cpuUs: (used.user + used.system) / operations, rate: operations / seconds };
}

/** Runs subject and baseline alternately, one warm-up pair first, and compares them pair by pair. */
export async function compare(subject: Side, baseline: Side, pairs = 5): Promise<Comparison> {
  await baseline.run();
  await subject.run();
  const costs: { subject: Cost; baseline: Cost }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = pair % 2 === 0 ? await cost(baseline) : await cost(subject);
    const second = pair % 2 === 0 ? await cost(subject) : await cost(baseline);
    costs.push(pair % 2 === 0 ? { baseline: first, subject: second } : { baseline: second, subject: first });
  }
  const cpuRatios = costs.map((pair) => pair.subject.cpuUs / pair.baseline.cpuUs);
  return {
    cpuRatio: median(cpuRatios),
    rateRatio: median(costs.map((pair) => pair.subject.rate / pair.baseline.rate)),
    spread: [Math.min(...cpuRatios), Math.max(...cpuRatios)],
    subjectCpuUs: median(costs.map((pair) => pair.subject.cpuUs)),
    baselineCpuUs: median(costs.map((pair) => pair.baseline.cpuUs)),
  };
}
