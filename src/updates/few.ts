/** A set that is mostly of one member, and then takes no more memory than a field. */
export class Few<T extends object> {
  #one: T | null = null;
  #more: Set<T> | null = null;

  /** How many there are. */
  get size(): number {
    return this.#more?.size ?? (this.#one === null ? 0 : 1);
  }

  /** Adds a member, once. */
  add(member: T): void {
    if (this.#more !== null) this.#more.add(member);
    else if (this.#one === null || this.#one === member) this.#one = member;
    else {
      this.#more = new Set([this.#one, member]);
      this.#one = null;
    }
  }

  /** True when it was there. */
  delete(member: T): boolean {
    if (this.#more !== null) return this.#more.delete(member);
    if (this.#one !== member) return false;
    this.#one = null;
    return true;
  }

  /** Calls for each member, in the order they came; members may leave meanwhile. */
  each(call: (member: T) => void): void {
    if (this.#more !== null) this.#more.forEach(call);
    else if (this.#one !== null) call(this.#one);
  }
}
