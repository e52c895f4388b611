import { isObject, type Json } from "./json.ts";
import type { Scanner } from "./scanner.ts";

/** The raw values of wanted names, by slot; undefined where the record has no such name. */
export type RawRow = readonly (Json | undefined)[];

interface Learned {
  /** What comes between the value before and this one: comma, quoted name and colon, with the white space between them. */
  readonly literal: Uint8Array;
  readonly slot: number;
}

const MAX_LEARNED = 1_000;

/** A name that nobody asked for. */
export const UNWANTED = -1;
/** A name that the scanner cannot read, or that makes the object unclear: it takes the full parse. */
export const UNCLEAR = -2;
/** The end of the object instead of a name. */
export const END = -3;

/**
 * Finds the slots of names. Records of a topic name their members in the same order, so it remembers which name came at
 * each place and compares bytes; another order only costs time.
 */
export class NameOrder {
  readonly #slots: ReadonlyMap<string, number>;
  readonly #learned: Learned[] = [];

  /** The slot of each name is its index; `unclear` names are answered with UNCLEAR. */
  constructor(names: readonly string[], unclear: readonly string[] = []) {
    const slots = new Map(names.map((name, slot) => [name, slot]));
    for (const name of unclear) slots.set(name, UNCLEAR);
    this.#slots = slots;
  }

  /**
   * Takes the `place`-th name of an object, with the comma before it and its colon, and answers its slot; END when the object
   * ends instead.
   */
  take(scanner: Scanner, place: number): number {
    const expected = this.#learned[place];
    if (expected !== undefined && scanner.takeLiteral(expected.literal)) return expected.slot;
    const start = scanner.at;
    const next = scanner.nextMember(place === 0);
    if (next !== "name") return next === "end" ? END : UNCLEAR;
    const name = scanner.name();
    if (name === null) return UNCLEAR;
    const slot = this.#slots.get(name) ?? UNWANTED;
    if (place < MAX_LEARNED) {
      this.#learned[place] = { literal: new Uint8Array(scanner.bytes.subarray(start, scanner.at)), slot };
    }
    return slot;
  }
}

/** Reads the members of one kind of JSON object into slots. */
export class RowReader {
  readonly names: readonly string[];
  readonly #order: NameOrder;
  readonly #empty: readonly undefined[];
  /** By slot: numbers are kept as digits. */
  readonly asDigits: readonly boolean[];

  /** `exact`: names whose numbers are kept as digits, being wanted as text in the end. */
  constructor(names: readonly string[], unclear: readonly string[] = [], exact: readonly string[] = []) {
    this.names = names;
    this.asDigits = names.map((name) => exact.includes(name));
    this.#order = new NameOrder(names, unclear);
    this.#empty = names.map(() => undefined);
  }

  /** Reads the object the scanner stands before; null on anything unusual. */
  read(scanner: Scanner): RawRow | null {
    return scanner.openObject() ? this.readMembers(scanner) : null;
  }

  /** The same with the object's brace already taken. */
  readMembers(scanner: Scanner): RawRow | null {
    const row: (Json | undefined)[] = this.#empty.slice();
    for (let place = 0; ; place++) {
      const slot = this.#order.take(scanner, place);
      if (slot >= 0) {
        const value = scanner.value(this.asDigits[slot]);
        if (value === undefined) return null;
        row[slot] = value;
      } else if (slot === END) return row;
      else if (slot === UNCLEAR || !scanner.skip()) return null;
    }
  }

  /** The same from a parsed value, null when it is no object: what the scanner is held against. */
  pick(json: Json): RawRow | null {
    if (!isObject(json)) return null;
    return this.names.map((name) => (Object.hasOwn(json, name) ? json[name] : undefined));
  }
}
