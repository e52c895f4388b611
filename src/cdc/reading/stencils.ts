import { layOut, ROOM } from "./desk.ts";
import { outline, type Wanted } from "./outline.ts";
import type { RawRow } from "./row-reader.ts";
import { Stencil, type Cut } from "./stencil.ts";

/** So many shapes are remembered. */
const MAX_KNOWN = 6;
/** Learning costs more than it saves for records that are all different: so often at once, and then once in so many records. */
const LESSONS = 64;
const RECORDS_PER_LESSON = 256;

/** The shapes of one kind of JSON object, learned from those that were read in another way. */
export class Stencils {
  readonly #wanted: Wanted;
  readonly #cut: Cut;
  #known: readonly Stencil[] = [];
  #lessons = LESSONS;
  #records = 0;

  constructor(wanted: Wanted, cut: Cut) {
    this.#wanted = wanted;
    this.#cut = cut;
  }

  /** The wanted values of a record, by slot, when its bytes from `from` to the end have a known shape; else null. */
  read(bytes: Buffer, from: number): RawRow | null {
    if (this.#known.length === 0 || bytes.length - from > ROOM) return null;
    layOut(from === 0 ? bytes : bytes.subarray(from));
    const wrapped = from > 0;
    for (const stencil of this.#known) {
      if (stencil.sample.wrapped !== wrapped) continue;
      const row = stencil.read(bytes, from);
      if (row !== null) return row;
    }
    return null;
  }

  /** Learns from a record that was read without any fault. */
  learn(bytes: Buffer, from: number): void {
    if (++this.#records % RECORDS_PER_LESSON === 0 && this.#lessons < LESSONS) this.#lessons++;
    if (this.#lessons === 0 || bytes.length - from > ROOM) return;
    this.#lessons--;
    const sample = outline(Buffer.from(bytes.subarray(from)), this.#wanted, from > 0);
    if (sample === null) return;
    for (const stencil of this.#known) {
      const widened = stencil.widened(sample);
      if (widened === null) continue;
      this.#known = [widened, ...this.#known.filter((other) => other !== stencil)];
      return;
    }
    this.#known = [Stencil.of(sample, this.#cut), ...this.#known.slice(0, MAX_KNOWN - 1)];
  }
}
