import type { Produced } from "./history.ts";

/** Records remembered of each partition: more than a broker is made to lose. */
const KEPT = 2_000;

interface Lying {
  readonly record: Produced;
  readonly offset: bigint;
}

/** What was sent lately, and where it came to lie. */
export class Sent {
  readonly #lately = new Map<string, Lying[]>();

  /** Records that lie one behind the other from an offset on. */
  add(
    topic: string,
    partition: number,
    found: { readonly from: bigint; readonly records: readonly Produced[] },
  ): void {
    const name = `${topic}/${partition}`;
    const lying = found.records.map((record, at) => ({ record, offset: found.from + BigInt(at) }));
    this.#lately.set(name, [...(this.#lately.get(name) ?? []), ...lying].slice(-KEPT));
  }

  /** What lay behind the ends that there are now, and does not any more; told once. */
  takeLost(
    ends: ReadonlyMap<string, string>,
  ): readonly { readonly record: Produced; readonly place: string }[] {
    return [...this.#lately].flatMap(([name, lying]) => {
      const end = BigInt(ends.get(name) ?? 0);
      this.#lately.set(
        name,
        lying.filter(({ offset }) => offset < end),
      );
      return lying
        .filter(({ offset }) => offset >= end)
        .map(({ record, offset }) => ({ record, place: `${name}/${offset}` }));
    });
  }
}
