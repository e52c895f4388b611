/**
 * Waits until both have ended, also when one fails, and answers what the second did. Whoever met the failure of one while the
 * other still ran could begin anew beside it.
 */
export async function both<T>(first: Promise<unknown>, second: Promise<T>): Promise<T> {
  const results = await Promise.allSettled([first, second]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return second;
}
