/** The counters of a process of ours, summed over their labels. */
export async function countersOf(url: string): Promise<(name: string) => number> {
  const answer = await fetch(`${url}/metrics`);
  const lines = (await answer.text()).split("\n");
  return (name) =>
    lines
      .filter((line) => line.startsWith(`customer360_${name}{`) || line.startsWith(`customer360_${name} `))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** What a histogram has added up to. */
export interface Observed {
  readonly count: number;
  readonly seconds: number;
}

/** A histogram of a process of ours, of one label as it is written, such as `clock="sent"`. */
export async function observedBy(url: string, name: string, label: string): Promise<Observed> {
  const answer = await fetch(`${url}/metrics`);
  const lines = (await answer.text()).split("\n");
  const of = (what: string) =>
    Number(
      lines
        .find((line) => line.startsWith(`customer360_${name}_${what}{${label}}`))
        ?.split(" ")
        .at(-1) ?? 0,
    );
  return { count: of("count"), seconds: of("sum") };
}
