/** What a visit to a customer changes. */
export type Kind = "card" | "patterns" | "checking" | "account" | "customer";

/** One step of the bank's life: which version of which of a customer's things it makes. */
export interface Visit {
  /** 0-based. */
  readonly customer: number;
  readonly kind: Kind;
  /** How many visits of this kind the customer had before. */
  readonly version: number;
}

/** Steps to visits and back, both in constant time, so a restart needs no replay of what came before. */
export interface Schedule {
  visit(step: number): Visit;
  step(visit: Visit): number;
}

/** Customers with the lowest numbers get every fifth step, so that there is always somebody worth watching. */
export const LIVELY_CUSTOMERS = 10;

const LIVELY_EVERY = 5;

const CYCLE: readonly Kind[] = [
  ..."card patterns card checking card patterns card account card patterns".split(" "),
  ..."card checking card customer card patterns checking card account patterns".split(" "),
] as Kind[];

/** For each kind the visits of a cycle that are of it, for a customer whose cycle begins at `rotation`. */
function placesOf(kind: Kind, rotation: number): readonly number[] {
  return CYCLE.flatMap((_, visit) => (CYCLE[(visit + rotation) % CYCLE.length] === kind ? [visit] : []));
}

const PLACES = new Map(
  [...new Set(CYCLE)].map((kind) => [kind, CYCLE.map((_, rotation) => placesOf(kind, rotation))]),
);

function places(kind: Kind, customer: number): readonly number[] {
  return PLACES.get(kind)?.[customer % CYCLE.length] ?? [];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A stride that visits every one of `count` places once, near the golden section so that neighbours are far apart. */
function strideFor(count: number): number {
  let stride = Math.max(1, Math.round(count * 0.618));
  while (greatestCommonDivisor(stride, count) !== 1) stride++;
  return stride % count || 1;
}

function inverse(stride: number, count: number): number {
  for (let n = 1, product = stride % count; n <= count; n++, product = (product + stride) % count) {
    if (product === 1 % count) return n;
  }
  throw new Error(`no inverse of ${stride} modulo ${count}`);
}

/** Which customer a step is for and how many steps it had before; and the way back. */
function turns(customers: number) {
  const lively = Math.min(LIVELY_CUSTOMERS, customers);
  const others = customers - lively;
  const stride = others > 0 ? strideFor(others) : 1;
  const back = others > 0 ? inverse(stride, others) : 1;
  return {
    turn(step: number): { customer: number; visit: number } {
      const block = Math.floor(step / LIVELY_EVERY);
      if (others === 0) return { customer: step % lively, visit: Math.floor(step / lively) };
      if (step % LIVELY_EVERY === LIVELY_EVERY - 1)
        return { customer: block % lively, visit: Math.floor(block / lively) };
      const n = block * (LIVELY_EVERY - 1) + (step % LIVELY_EVERY);
      return { customer: lively + (((n % others) * stride) % others), visit: Math.floor(n / others) };
    },
    step(customer: number, visit: number): number {
      if (others === 0) return visit * lively + customer;
      if (customer < lively) return (visit * lively + customer) * LIVELY_EVERY + LIVELY_EVERY - 1;
      const n = visit * others + (((customer - lively) * back) % others);
      return Math.floor(n / (LIVELY_EVERY - 1)) * LIVELY_EVERY + (n % (LIVELY_EVERY - 1));
    },
  };
}

/** The schedule of a bank with so many customers. */
export function schedule(customers: number): Schedule {
  const order = turns(customers);
  return {
    visit(step) {
      const { customer, visit } = order.turn(step);
      const kind = CYCLE[(visit + customer) % CYCLE.length] ?? "card";
      const own = places(kind, customer);
      const before = own.indexOf(visit % CYCLE.length);
      return { customer, kind, version: Math.floor(visit / CYCLE.length) * own.length + before };
    },
    step({ customer, kind, version }) {
      const own = places(kind, customer);
      const place = own[version % own.length] ?? 0;
      return order.step(customer, Math.floor(version / own.length) * CYCLE.length + place);
    },
  };
}
