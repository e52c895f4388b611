import type { Customer } from "../customer/customer.ts";
import type { Reads } from "../store/reads.ts";

/**
 * Coalesces what the resolvers of one answer ask for: everything asked in the same turn becomes one call of the store.
 * Nothing is remembered after that turn, so an answer is never older than its question.
 */
interface Turn {
  readonly ids: Set<string>;
  readonly customers: Promise<ReadonlyMap<string, Customer | null>>;
}

const turns = new WeakMap<Reads, Turn>();

/** The document of one customer, or null when there is none; many calls in one turn cost one read. */
export async function loadCustomer(reads: Reads, customerId: string): Promise<Customer | null> {
  if (customerId === "") return null;
  const turn = turns.get(reads) ?? openTurn(reads);
  turn.ids.add(customerId);
  return (await turn.customers).get(customerId) ?? null;
}

function openTurn(reads: Reads): Turn {
  const ids = new Set<string>();
  const customers = endOfTurn().then(async () => {
    turns.delete(reads);
    const asked = [...ids];
    const found = await reads.customers(asked);
    return new Map(asked.map((id, index) => [id, found[index] ?? null]));
  });
  const turn = { ids, customers };
  turns.set(reads, turn);
  return turn;
}

type Counted = Awaited<ReturnType<Reads["counts"]>>;
const counting = new WeakMap<Reads, Promise<Counted>>();

/** The store's counters; many calls in one turn cost one read. */
export function loadCounts(reads: Reads): Promise<Counted> {
  const running = counting.get(reads);
  if (running) return running;
  const started = endOfTurn().then(() => {
    counting.delete(reads);
    return reads.counts();
  });
  counting.set(reads, started);
  return started;
}

/** After the microtasks already queued have had their say: resolvers of sibling nodes all run before it. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
