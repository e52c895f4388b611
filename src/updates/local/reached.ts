import type { Sqlite } from "../../embedded/database.ts";

/** Which revision of each customer the stream has reached, in memory: nothing is looked up for an update that is published. */
export interface Reached {
  /** Catches up with what others published; once per publish, inside its transaction. `tail` is the last number given out. */
  catchUp(tail: number): void;
  /** The greatest revision of a customer that is kept in the stream; 0 when there is none. */
  of(customerId: string): number;
  /** Notes a revision as published, under the next number. */
  add(customerId: string, revision: number): void;
  /** Forgets everything, because a publish was undone; it is read from the stream anew. */
  forget(): void;
}

/** Revisions remembered beyond those the stream keeps, before they are read from it anew. */
const SURPLUS = 50_000;

/** What the chunks of a stream tell, read when the first update is published. `keep` is how many updates the stream keeps. */
export function reachedRevisions(db: Sqlite, keep: number): Reached {
  let revisions = new Map<string, number>();
  let known = 0;
  const add = (customerId: string, revision: number): void => {
    if (revision > (revisions.get(customerId) ?? 0)) revisions.set(customerId, revision);
  };
  const forget = (): void => {
    revisions = new Map();
    known = 0;
  };
  return {
    catchUp(tail) {
      if (revisions.size > keep + SURPLUS) forget();
      if (tail === known) return;
      const chunks = db.prepare("SELECT revisions FROM updates WHERE last > ? ORDER BY last");
      for (const [text] of chunks.all<[string]>(known)) {
        const listed = JSON.parse(text) as (string | number)[];
        for (let at = 0; at < listed.length; at += 2) add(String(listed[at]), Number(listed[at + 1]));
      }
      known = tail;
    },
    of: (customerId) => revisions.get(customerId) ?? 0,
    add(customerId, revision) {
      add(customerId, revision);
      known += 1;
    },
    forget,
  };
}
