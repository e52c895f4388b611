/** Waits for both of two that run at once, also when one fails: what goes on after a failure was answered might meet its repetition. Answers the second. */
export async function beside<T>(first: Promise<unknown>, second: Promise<T>): Promise<T> {
  const results = await Promise.allSettled([first, second]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return second;
}
