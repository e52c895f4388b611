import type { Clock } from "../../clock.ts";
import type { Customer, Freshness } from "../../customer/customer.ts";
import type { Metrics } from "../../metrics.ts";
import type { Audience } from "../../updates/audience.ts";
import type { Parcel } from "../../updates/mailbox.ts";
import type { Context } from "../context.ts";
import type { Cursors, Resume } from "./cursor.ts";
import type {
  Age,
  ChangeFrame,
  EndedFrame,
  Frame,
  GapFrame,
  ProgressFrame,
  SnapshotFrame,
} from "./frames.ts";
import type { SnapshotPage } from "./snapshot.ts";

/** A frame made longer ago is made again: it says when it was sent. */
const SHARED_MS = 1_000;
const ENVELOPE: Omit<Age, "sentMs"> = { sourceMs: null, ingestedMs: null, appliedMs: null };

/**
 * Makes the frames of one audience. A cursor is signed only when somebody reads it: many clients never select it, and it is
 * the dearest part of a frame.
 */
export class Maker {
  readonly #audience: Audience;
  readonly #cursors: Cursors;
  readonly #clock: Clock;
  readonly #metrics: Metrics;

  constructor(
    audience: Audience,
    { cursors, clock, metrics }: Pick<Context, "cursors" | "clock" | "metrics">,
  ) {
    this.#audience = audience;
    this.#cursors = cursors;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** The audience's one frame for a slot or place, as long as its age still holds; made on first use. */
  shared<T extends Frame>(of: object, make: () => T): T {
    const sinceMs = this.#clock.nowMs() - SHARED_MS;
    return this.#audience.shared(of, make, (known) => known.age.sentMs >= sinceMs);
  }

  /** A page of a snapshot. */
  snapshot(page: SnapshotPage, resume: Resume): SnapshotFrame {
    const cursor = this.#lazy(resume);
    const [only] = page.customers;
    const age =
      only !== undefined && page.customers.length === 1 ? this.#age(only.freshness) : this.#age(null);
    return {
      kind: "snapshot",
      get cursor() {
        return cursor();
      },
      items: page.items,
      complete: page.next === null,
      age,
    };
  }

  /** What a parcel says. */
  change(parcel: Parcel, resume: Resume): ChangeFrame {
    if (parcel.count > 1) this.#metrics.add("coalesced_total", parcel.count - 1);
    return new Change(parcel, this.#age(parcel.slot.entry.update.freshness), {
      cursors: this.#cursors,
      audience: this.#audience,
      resume,
    });
  }

  /** Updates are missing; a snapshot follows. */
  gap(reason: GapFrame["reason"], missed: number | null, resume: Resume): GapFrame {
    this.#metrics.add("gaps_total", 1, reason);
    const cursor = this.#lazy(resume);
    return {
      kind: "gap",
      get cursor() {
        return cursor();
      },
      missed,
      reason,
      age: this.#age(null),
    };
  }

  /** Nothing of interest up to a place. */
  progress(resume: Resume): ProgressFrame {
    const cursor = this.#lazy(resume);
    return {
      kind: "progress",
      get cursor() {
        return cursor();
      },
      age: this.#age(null),
    };
  }

  /** The end of the stream, on the server's wish. Without a place nothing was sent yet. */
  ended(resume: Resume | null): EndedFrame {
    const cursor = resume === null ? () => null : this.#lazy(resume);
    return {
      kind: "ended",
      get cursor() {
        return cursor();
      },
      reason: "DRAINING",
      retryable: true,
      age: this.#age(null),
    };
  }

  #age(freshness: Freshness | null): Age {
    const { sourceMs, ingestedMs, appliedMs } = freshness ?? ENVELOPE;
    return { sourceMs, ingestedMs, appliedMs, sentMs: this.#clock.nowMs() };
  }

  #lazy(resume: Resume): () => string {
    let cursor: string | null = null;
    return () => (cursor ??= signed({ cursors: this.#cursors, audience: this.#audience, resume }));
  }
}

/** Where a cursor leads, and what signs it. */
interface Signing {
  readonly cursors: Cursors;
  readonly audience: Audience;
  readonly resume: Resume;
}

/** By far the commonest frame: a class, since a getter in a literal makes a function for each frame. */
class Change implements ChangeFrame {
  readonly kind = "change";
  readonly customer: Customer;
  readonly revision: number;
  readonly changed: ChangeFrame["changed"];
  readonly segments: ChangeFrame["segments"];
  readonly offers: ChangeFrame["offers"];
  readonly matches: boolean;
  readonly freshness: Freshness;
  readonly age: Age;
  readonly #signing: Signing;
  #cursor: string | null = null;

  constructor({ slot, bearing, changed }: Parcel, age: Age, signing: Signing) {
    const { update } = slot.entry;
    this.customer = update.customer;
    this.revision = update.revision;
    this.changed = changed;
    this.segments = bearing.segments;
    this.offers = bearing.offers;
    this.matches = bearing.matches;
    this.freshness = update.freshness;
    this.age = age;
    this.#signing = signing;
  }

  get cursor(): string {
    return (this.#cursor ??= signed(this.#signing));
  }
}

function signed({ cursors, audience, resume }: Signing): string {
  return cursors.sign(resume, audience);
}
