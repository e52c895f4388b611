/**
 * One attempt for all who ask while the one before it is under way: each is answered by an attempt that began after it had
 * asked, and however many ask, two are enough.
 */
export function together<T>(attempt: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  return () =>
    (next ??= current
      .catch(() => {})
      .then(() => {
        next = null;
        const begun = attempt();
        current = begun;
        return begun;
      }));
}
