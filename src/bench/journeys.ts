import { STAMP } from "./served-protocol.ts";

/** The machine's monotonic clock, the same in all its processes; microseconds. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Changes on their way: by customer, the stamps whose change has not been seen yet, oldest first. */
export class Journeys {
  readonly #under: number[][];
  readonly latenciesMs: number[] = [];
  #left = 0;

  constructor(customers: number) {
    this.#under = Array.from({ length: customers }, () => []);
  }

  /** Changes sent and not seen. */
  get left(): number {
    return this.#left;
  }

  sent(customer: number, stampUs: number): void {
    this.#under[customer]?.push(stampUs);
    this.#left += 1;
  }

  /** A screen shows the change with this stamp, and so every earlier one of this customer as well. */
  seen(customer: number, stampUs: number, atUs: number): void {
    const under = this.#under[customer] ?? [];
    for (let oldest = under[0]; oldest !== undefined && oldest <= stampUs; oldest = under[0]) {
      under.shift();
      this.#left -= 1;
      this.latenciesMs.push((atUs - oldest) / 1_000);
    }
  }
}

const BEFORE = Buffer.from(STAMP.before);
const AFTER = STAMP.after.charCodeAt(0);

/** The stamp in a delivery. Throws when there is none. */
export function stampOf(payload: Buffer): number {
  const start = payload.indexOf(BEFORE) + BEFORE.length;
  const end = payload.indexOf(AFTER, start);
  const stamp = Number(payload.toString("latin1", start, end));
  if (start < BEFORE.length || !Number.isSafeInteger(stamp)) throw new Error("a delivery without a stamp");
  return stamp;
}
