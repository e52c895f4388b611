/** Lets sockets, timers and waiting subscriptions have a turn, so that a burst is no reason to call a reader slow. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * One of those who ask in each turn. Who reads the past waits for nothing where that is at hand, and sends what he read without
 * waiting to a client that keeps up: many of them together would leave nobody else a turn until they are through.
 */
export function oneByOne(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => (last = last.then(nextTurn));
}
