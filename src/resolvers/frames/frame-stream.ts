import type { Audience, Bearing } from "../../updates/audience.ts";
import type { Hub, Seat } from "../../updates/hub.ts";
import { createMailbox, single, UNBOUNDED, type Mailbox, type Parcel } from "../../updates/mailbox.ts";
import type { Slot } from "../../updates/ring.ts";
import type { StreamCursor } from "../../updates/updates.ts";
import type { DeliveryMode } from "../../updates/watch.ts";
import type { Context } from "../context.ts";
import type { Resume, StreamStart } from "./cursor.ts";
import { isBare, newFloors, resumeOf, type Floors } from "./floors.ts";
import type { Frame, GapFrame } from "./frames.ts";
import { Maker } from "./making.ts";
import { readSnapshot } from "./snapshot.ts";
import { give, Puller, type Supply, type Taker } from "./taker.ts";
import { countUnread } from "./unread.ts";

type Ending = IteratorResult<Frame, undefined>;
const OVER: Ending = { done: true, value: undefined };

/**
 * The frames of one subscription, pulled one by one.
 *
 * It goes through: `snapshot` (pages read from the store) -> `following` (what came after the place the snapshot was begun
 * at, or after the client's cursor, from memory or from the Updates port) -> `live` (the hub hands entries over as it reads
 * them). The place is noted before the snapshot is read, so nothing falls between the two; what the snapshot already
 * shows is dropped by its revision. A lost place or a full mailbox leads back to `snapshot` by way of a Gap.
 *
 * It is written out by hand because an async generator that waits cannot be ended from outside: it would stay for ever
 * when its client leaves. Here `return` frees everything at once, whatever is under way.
 */
export class FrameStream implements Supply<Frame>, Seat {
  readonly #context: Context;
  readonly #mode: DeliveryMode;
  readonly #audience: Audience;
  #phase: "starting" | "snapshot" | "following" | "live" | "over" = "starting";
  #ending: (() => Frame) | null = null;
  /** Everything up to here was given to the client, but for what `#page` still has to show. */
  #at: StreamCursor = "";
  /** Everything up to here was read from the stream. */
  #from: { readonly at: StreamCursor; readonly seq: number | null } = { at: "", seq: null };
  #page: string | null = null;
  #floors: Floors | null = null;
  /** Revisions given beyond that place, by customer. */
  #ahead: ReadonlyMap<string, number> | null = null;
  /** True once the stream was lost, as far as this subscription is concerned. */
  #afterLoss = false;
  /** True when something was given since the hub last spoke of progress. */
  #fresh = true;
  #gap: { readonly reason: GapFrame["reason"]; readonly missed: number | null } | null = null;
  /** Frames made and not given yet, and where a client goes on that never gets them. */
  #ready: { readonly frames: Frame[]; readonly instead: Resume } | null = null;
  #mailbox: Mailbox | null = null;
  /** Waits while there is nothing to give. */
  #taker: Taker<Frame> | null = null;
  #puller: Puller<Frame> | null = null;
  #abort: AbortController | null = null;

  constructor(context: Context, { watch, resume, mode }: StreamStart) {
    this.#context = context;
    this.#mode = mode;
    this.#audience = context.hub.open(this, watch, context.viewer.scope);
    if (context.hub.isDraining()) this.end();
    if (resume === null) return;
    this.#at = resume.at;
    this.#from = { at: resume.at, seq: null };
    this.#page = resume.page;
    this.#afterLoss = resume.afterLoss;
    // From the first page on, a snapshot of now is as good.
    if (resume.page !== "") this.#phase = resume.page === null ? "following" : "snapshot";
    for (const [customerId, revision] of resume.floors ?? []) this.#seen().add(customerId, revision);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Ending> {
    return (this.#puller ??= new Puller(this)).next();
  }

  demand(taker: Taker<Frame>): void {
    if (this.#phase === "over") return give(taker, OVER);
    const isIdle = this.#ending === null && this.#gap === null && this.#ready === null;
    // Mostly nothing happened since the snapshot: live at once, without another round.
    if (this.#phase === "following" && isIdle && this.#mailbox === null) this.#settle();
    if (this.#phase === "live" && isIdle) {
      const frame = this.#waiting();
      if (frame !== null) return give(taker, { done: false, value: frame });
      if (this.#gap === null) {
        this.#taker = taker;
        return;
      }
    }
    this.poll().then(
      (frame) => (frame === null ? this.demand(taker) : taker.given({ done: false, value: frame })),
      (error: unknown) => taker.failed(error),
    );
  }

  return(): Promise<Ending> {
    this.#close();
    return Promise.resolve(OVER);
  }

  /** The next frame if there is one now; null when everything so far was given (then it is live), or it is over. */
  async poll(): Promise<Frame | null> {
    try {
      for (;;) {
        if (this.#phase === "over") return null;
        if (this.#ending !== null) return this.#ending();
        const frame = this.#takeReady() ?? (this.#gap === null ? this.#waiting() : null);
        if (frame !== null) return frame;
        if (this.#phase === "live" && this.#gap === null) return null;
        await this.#advance();
      }
    } catch (error) {
      const wanted = this.#phase !== "over";
      this.#close();
      if (wanted) throw error;
      return null;
    }
  }

  /** Where a client would go on that has every frame given so far. */
  get cursor(): string {
    return this.#context.cursors.sign(this.#ready?.instead ?? this.#resume(), this.#audience);
  }

  take(slot: Slot, bearing: Bearing): void {
    if (this.#isOld(slot)) return;
    const taker = this.#taker;
    if (taker === null)
      return (this.#mailbox ??= createMailbox(this.#mode, this.#hub.limits)).put(slot, bearing);
    const value = this.#deliver(single(slot, bearing));
    this.#taker = null;
    give(taker, { done: false, value });
  }

  progress(): void {
    const quiet = !this.#fresh;
    this.#fresh = false;
    const taker = this.#taker;
    if (taker === null) return;
    // Nothing waits: all up to here was given, or dropped because it had been seen.
    const place = this.#hub.place();
    this.#at = place.at;
    this.#ahead = null;
    this.#floors = this.#floors?.rest(this.#hub.headway.readUntilMs()) ?? null;
    if (!quiet) return;
    this.#taker = null;
    const resume = this.#resume();
    const make = () => this.#maker.progress(resume);
    give(taker, { done: false, value: isBare(resume) ? this.#maker.shared(place, make) : make() });
  }

  lost(reason: "RETENTION" | "RESTART"): void {
    // Whoever is not live yet finds out when it reads on.
    if (this.#phase !== "live") return;
    this.#gap = { reason, missed: null };
    this.#unpark();
  }

  end(): void {
    this.#ending ??= () => this.#end();
    this.#abort?.abort();
    this.#unpark();
  }

  fail(error: unknown): void {
    this.#ending ??= () => {
      throw error;
    };
    this.#unpark();
  }

  /** Who waits is to look again. */
  #unpark(): void {
    const taker = this.#taker;
    this.#taker = null;
    if (taker !== null) this.demand(taker);
  }

  #end(): Frame {
    const frame = this.#maker.ended(
      this.#phase === "starting" ? null : (this.#ready?.instead ?? this.#resume()),
    );
    this.#close();
    return frame;
  }

  #close(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#hub.release(this, this.#audience);
    this.#abort?.abort();
    this.#floors?.free();
    this.#mailbox = null;
    this.#ready = null;
    this.#unpark();
  }

  /** One step that may wait: a page of a snapshot, a page of the stream, or the way out of a gap. */
  async #advance(): Promise<void> {
    if (this.#gap !== null) return this.#recover();
    if (this.#phase === "starting") {
      await this.#hub.start();
      this.#begin();
    }
    if (this.#phase === "snapshot") return this.#snapshot();
    if (this.#phase === "following") return this.#follow();
  }

  /** Notes the place everything after which is to be delivered, and a snapshot as the way there. */
  #begin(): void {
    if (this.#phase === "over") return;
    this.#from = this.#hub.place();
    this.#at = this.#from.at;
    this.#page = "";
    this.#ahead = null;
    this.#floors?.free();
    this.#floors = newFloors(this.#context, this.#afterLoss, this.#hub.headway.settledMs());
    this.#phase = "snapshot";
  }

  async #recover(): Promise<void> {
    const gap = this.#gap;
    if (gap === null) return;
    this.#gap = null;
    this.#afterLoss ||= gap.reason === "RESTART";
    this.#hub.leave(this, this.#audience);
    const thrown = this.#mailbox?.clear() ?? 0;
    this.#mailbox = null;
    this.#begin();
    const resume = this.#resume();
    await this.#snapshot();
    const missed = gap.missed === null ? null : gap.missed + thrown + (await this.#overtaken());
    this.#ready?.frames.unshift(this.#maker.gap(gap.reason, missed, resume));
  }

  /** Updates after the place that the snapshot shows already: nobody will see them, so they are missed. */
  #overtaken(): Promise<number> | number {
    if (this.#page !== null) return 0;
    const isShown = (slot: Slot) => this.#audience.recall(slot) !== null && this.#isOld(slot);
    return countUnread(this.#hub, this.#from, { counts: isShown, signal: this.#signal() });
  }

  async #snapshot(): Promise<void> {
    const { reads, plan } = this.#context;
    const instead = this.#resume();
    const page = await readSnapshot({ reads, plan }, this.#audience.watch, this.#page ?? "");
    if (this.#phase === "over") return;
    for (const { customerId } of page.customers) this.#audience.listed(customerId);
    this.#seen().showAll(page.customers, this.#hub, this.#from.seq);
    this.#page = page.next;
    if (page.next === null) this.#phase = "following";
    this.#ready = { frames: [this.#maker.snapshot(page, this.#resume())], instead };
  }

  /** Reads a page of the stream; live once nothing is left to read. */
  async #follow(): Promise<void> {
    await this.#hub.start();
    const read = await this.#hub.after(this.#from, this.#signal());
    if (this.#phase === "over" || this.#ending !== null) return;
    if (read.kind === "gap") {
      this.#gap = { reason: read.reason, missed: this.#audience.isEverything ? read.missed : null };
      return;
    }
    const box = createMailbox(this.#mode, UNBOUNDED);
    let isEmpty = true;
    for (const slot of read.slots) {
      const bearing = this.#audience.recall(slot);
      if (bearing === null || this.#isOld(slot)) continue;
      box.put(slot, bearing);
      this.#seen().pass(slot.entry.update.customerId, slot.entry.update.revision);
      isEmpty = false;
    }
    this.#from = read.place ?? { at: read.slots.at(-1)?.entry.cursor ?? this.#from.at, seq: null };
    if (!isEmpty) {
      this.#mailbox = box;
      return;
    }
    if (read.slots.length > 0) {
      this.#at = this.#from.at;
      this.#ahead = null;
    }
    this.#settle();
  }

  /** Live from here on, if everything up to now was read and given. */
  #settle(): void {
    if (this.#from.seq === null || this.#from.seq !== this.#hub.place().seq) return;
    this.#hub.join(this, this.#audience);
    this.#phase = "live";
    this.#floors = this.#floors?.settle(this.#context.clock.nowMs()) ?? null;
    this.#mailbox = null;
    this.#abort = null;
  }

  #takeReady(): Frame | null {
    const frame = this.#ready?.frames.shift() ?? null;
    if (this.#ready?.frames.length === 0) this.#ready = null;
    return frame;
  }

  #waiting(): Frame | null {
    const box = this.#mailbox;
    if (box === null) return null;
    if (box.missed() > 0) {
      this.#gap = { reason: "SLOW_CONSUMER", missed: 0 };
      return null;
    }
    const parcel = box.take();
    return parcel === null ? null : this.#deliver(parcel);
  }

  #deliver(parcel: Parcel): Frame {
    const { slot } = parcel;
    this.#fresh = true;
    this.#at = parcel.at;
    this.#ahead = parcel.ahead;
    this.#floors?.lift(slot.entry.update.customerId);
    const resume = this.#resume();
    const make = () => this.#maker.change(parcel, resume);
    const isPlain = parcel.count === 1 && isBare(resume) && parcel.at === slot.entry.cursor;
    return isPlain && this.#audience.seats > 1 ? this.#maker.shared(slot, make) : make();
  }

  #isOld({ entry: { update } }: Slot): boolean {
    return this.#floors?.covers(update.customerId, update.revision) ?? false;
  }

  #seen(): Floors {
    return (this.#floors ??= newFloors(this.#context, this.#afterLoss));
  }

  #resume(): Resume {
    return resumeOf({ at: this.#at, page: this.#page }, this.#floors, this.#ahead);
  }

  get #hub(): Hub {
    return this.#context.hub;
  }

  get #maker(): Maker {
    return new Maker(this.#audience, this.#context);
  }

  #signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }
}
