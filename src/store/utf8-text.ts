/** A growing run of UTF-8: texts written one behind the other, without a string or buffer for each. */
export class Utf8Text {
  #buffer = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  /** How many bytes were written since the last `clear`. */
  get length(): number {
    return this.#length;
  }

  /** Begins anew; what `bytes` answered before is overwritten. */
  clear(): void {
    this.#length = 0;
  }

  /** Adds a text. */
  write(text: string): void {
    // No character takes more than three bytes per UTF-16 unit.
    const most = this.#length + 3 * text.length;
    if (most > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * most);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** What was written from a place on, good until the next `clear`. */
  bytes(from = 0): Uint8Array {
    return this.#buffer.subarray(from, this.#length);
  }
}
