/** How something was found to be. Only `wrong` fails the examination. */
export type FindingState = "ok" | "warning" | "wrong";

/** One thing that was looked at. No text of it ever holds a secret or a customer's value. */
export interface Finding {
  /** Such as `kafka`. */
  readonly component: string;
  /** What was looked at, such as `topics`. */
  readonly check: string;
  readonly state: FindingState;
  readonly found: string;
  /** What to do, or to know; null for nothing. */
  readonly todo: string | null;
}

/** Takes down what is found of one component, as it is found: what comes before a deadline counts. */
export interface Report {
  /** `note` is what is worth knowing all the same. */
  ok(check: string, found: string, note?: string): void;
  warning(check: string, found: string, todo: string): void;
  wrong(check: string, found: string, todo: string): void;
}

/** A report on one component. */
export function reportOn(component: string, take: (finding: Finding) => void): Report {
  const as = (state: FindingState) => (check: string, found: string, todo?: string) =>
    take({ component, check, state, found, todo: todo ?? null });
  return { ok: as("ok"), warning: as("warning"), wrong: as("wrong") };
}
