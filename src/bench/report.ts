/** One row of the benchmark's table. */
export interface Measure {
  readonly name: string;
  /** The figure, or null when the measure could not be taken; `note` says why. */
  readonly value: number | null;
  readonly unit: "ratio" | "us" | "ms" | "MB" | "s" | "%";
  /** Whether a larger figure is better. */
  readonly better: "higher" | "lower";
  /** The first step asked for, and the goal of the product; null where none is set. */
  readonly firstStep: number | null;
  readonly goal: number | null;
  readonly note: string;
}

/** Whether a measure meets a bar; null when there is no bar or no figure. */
export function meets(measure: Measure, bar: number | null): boolean | null {
  if (bar === null || measure.value === null) return null;
  return measure.better === "higher" ? measure.value >= bar : measure.value <= bar;
}

/** The measures as a Markdown table. */
export function table(measures: readonly Measure[]): string {
  const rows = measures.map((measure) => [
    measure.name,
    measure.value === null
      ? "-"
      : `${rounded(measure.value)}${measure.unit === "ratio" ? "" : ` ${measure.unit}`}`,
    bar(measure, measure.firstStep),
    bar(measure, measure.goal),
    measure.note,
  ]);
  const lines = [
    ["measure", "figure", "first step", "goal", "note"],
    ["---", "---", "---", "---", "---"],
    ...rows,
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function bar(measure: Measure, value: number | null): string {
  if (value === null) return "-";
  const met = meets(measure, value);
  return `${measure.better === "higher" ? ">=" : "<="} ${value}${met === null ? "" : met ? " met" : " missed"}`;
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
