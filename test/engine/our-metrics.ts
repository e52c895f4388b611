/** The counters of a process of ours, summed over their labels. */
export async function countersOf(url: string): Promise<(name: string) => number> {
  const answer = await fetch(`${url}/metrics`);
  const lines = (await answer.text()).split("\n");
  return (name) =>
    lines
      .filter((line) => line.startsWith(`customer360_${name}{`) || line.startsWith(`customer360_${name} `))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
