/**
 * Draws that depend on nothing but the seed and what they are for,
 * so any part of the bank can be made without what came before it.
 */
export interface Draws {
  /** A number in [0, 1) for this combination of labels, always the same one. */
  share(...labels: readonly number[]): number;
  /** An integer in [0, below) for these labels. */
  below(below: number, ...labels: readonly number[]): number;
  /** 32 hexadecimal digits for these labels. */
  hex(...labels: readonly number[]): string;
}

/** One round of a 32-bit mixer (the finaliser of MurmurHash3). */
function mix(hash: number, label: number): number {
  let h = Math.imul(hash ^ label, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) + 0x9e3779b9;
}

/** Draws for a seed; a label is an integer of any size up to 2^53. */
export function draws(seed: number): Draws {
  const hash = (labels: readonly number[]): number => {
    let h = mix(0x2545f491, seed);
    for (const label of labels) h = mix(mix(h, label | 0), Math.floor(label / 2 ** 32));
    return mix(h, labels.length) >>> 0;
  };
  const share = (...labels: readonly number[]) => hash(labels) / 2 ** 32;
  return {
    share,
    below: (below, ...labels) => Math.floor(share(...labels) * below),
    hex: (...labels) =>
      [1, 2, 3, 4]
        .map((part) =>
          hash([...labels, part])
            .toString(16)
            .padStart(8, "0"),
        )
        .join(""),
  };
}

/** A wave between 0 and 1 that climbs for half a period and falls for the other half. */
export function wave(step: number, period: number): number {
  const phase = (((step % period) + period) % period) / period;
  return phase < 0.5 ? phase * 2 : 2 - phase * 2;
}
