/** Lets sockets, timers and signals be served: embedded adapters never wait for anything, and a large batch takes its time. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
