/** A JSON text under way: pieces in order, some of them still to come. */
export class JsonText {
  /** What follows the last piece that is still to come. Append to it. */
  text = "";
  #earlier: (string | JsonText)[] | null = null;

  /** Leaves a place for what is to come; whoever brings it appends to what this returns. */
  leave(): JsonText {
    const place = new JsonText();
    (this.#earlier ??= []).push(this.text, place);
    this.text = "";
    return place;
  }

  /** All of it. */
  toString(): string {
    return this.#earlier === null ? this.text : this.#earlier.join("") + this.text;
  }
}

/** What JSON escapes in a string, and lone surrogates among it. */
const SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/;
/** Above this the engine's own scan is the faster one. */
const SCANNED = 64;

/** The same text as JSON.stringify makes of it. Undefined for what JSON has no text for. */
export function jsonOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value.length > SCANNED || SPECIAL.test(value) ? JSON.stringify(value) : `"${value}"`;
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    default:
      return JSON.stringify(value);
  }
}
