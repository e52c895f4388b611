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
    this.#reserve(3 * text.length);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Adds what is UTF-8 already. */
  append(utf8: Uint8Array): void {
    this.#reserve(utf8.length);
    this.#buffer.set(utf8, this.#length);
    this.#length += utf8.length;
  }

  /** What was written from a place to another, good until the next `clear`. */
  bytes(from = 0, to = this.#length): Uint8Array {
    return this.#buffer.subarray(from, to);
  }

  #reserve(more: number): void {
    const most = this.#length + more;
    if (most <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * most);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** The text of UTF-8 bytes. */
export function textOfBytes({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}
