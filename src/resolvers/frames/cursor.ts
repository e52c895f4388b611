import { createHmac, timingSafeEqual } from "node:crypto";
import { Customer360Error } from "../../errors.ts";
import type { StreamCursor } from "../../updates/updates.ts";
import { watchKey } from "../../updates/watch.ts";
import type { DeliveryMode, Watch } from "../../updates/watch.ts";
import { createMac, MAC_LENGTH } from "./mac.ts";

/** Where a subscription goes on. Exclusive: everything up to `at` has been seen. */
export interface Resume {
  readonly at: StreamCursor;
  /** Set while a snapshot is not finished: the page to go on with, "" for the first. Null: what follows `at` and no snapshot. */
  readonly page: string | null;
  /** Revisions already seen of customers whose updates come after `at`: those up to the revision are not sent again. */
  readonly floors: ReadonlyMap<string, number> | null;
  /** True where the stream was lost a short while ago: snapshots on the way have to be remembered whole. */
  readonly afterLoss: boolean;
}

/** How a stream of frames begins. */
export interface StreamStart {
  readonly watch: Watch;
  /** Where to go on; null for a snapshot of now. */
  readonly resume: Resume | null;
  readonly mode: DeliveryMode;
}

/** What a cursor is bound to: the viewer's scope, and what is watched. */
export interface Binding {
  readonly scope: string;
  readonly watch: Watch;
  /** What all its cursors begin with, kept here by the first that is signed. */
  cursorHead?: string | null;
}

/** What a cursor holds. */
export interface CursorContent extends Resume {
  readonly scope: string;
  readonly watch: Watch;
}

/** Makes and opens the cursors clients keep: opaque, signed, bound to a scope and to a field with its arguments. */
export interface Cursors {
  /**
   * At most 8,000 characters. A cursor whose floors do not fit leads to a snapshot instead.
   * Throws BAD_USER_INPUT for a watch that does not fit.
   */
  sign(resume: Resume, binding: Binding): string;
  /**
   * Opens a cursor of this scope; with `expected`, only one made for the same field and arguments.
   * Throws CURSOR_INVALID for a cursor that is damaged, forged, foreign, outdated or from another field.
   */
  open(text: string, scope: string, expected?: Watch): CursorContent;
}

const VERSION = 1;
/** Node takes 16 KB of headers, and a cursor can come in one. */
const MAX_LENGTH = 8_000;
const MAX_WATCH_BYTES = 4_000;
/** As many bytes as base64 takes together. */
const BASE64_BYTES = 3;
const SHAPE = /^([\w-]+)\.([\w-]{22})$/;

/** What every cursor of a binding says. */
interface Head {
  readonly v: number;
  readonly s: string;
  readonly w: Watch;
}

/** What each says of its own. */
interface Tail {
  readonly a: string;
  p?: string;
  f?: readonly (readonly [string, number])[];
  l?: true;
}

/** Cursors signed with HMAC-SHA256 under a secret; processes that share the secret accept each other's cursors. */
export function createCursors(secret: Uint8Array): Cursors {
  const key = createHmac("sha256", secret).update("customer360 cursor").digest();
  const macOf = createMac(key, MAX_LENGTH);
  const fits = (text: string) => text.length + 1 + MAC_LENGTH <= MAX_LENGTH;
  return {
    sign(resume, binding) {
      const head = (binding.cursorHead ??= headOf(binding));
      let text = head + tailOf(resume);
      if (!fits(text)) text = head + tailOf({ ...resume, page: "", floors: null });
      if (!fits(text)) throw tooLong(binding.watch);
      return `${text}.${macOf(text)}`;
    },
    open(text, scope, expected) {
      const [, body64, mac] = (text.length <= MAX_LENGTH && SHAPE.exec(text)) || [];
      if (body64 === undefined || mac === undefined) {
        throw invalid(
          "This is not a cursor of this server. Pass a cursor exactly as it was received, or none.",
        );
      }
      const given = Buffer.from(mac, "base64url");
      if (!timingSafeEqual(given, Buffer.from(macOf(body64), "base64url"))) {
        throw invalid("This cursor was altered, or made under another secret. Subscribe again without it.");
      }
      const body = JSON.parse(Buffer.from(body64, "base64url").toString()) as Head & Tail;
      if (body.v !== VERSION) {
        throw invalid("This cursor was made by another version of the server. Subscribe again without it.");
      }
      if (body.s !== scope) {
        throw invalid(
          "This cursor was made for a viewer who may see other things. Subscribe again without it.",
        );
      }
      if (expected !== undefined && watchKey(expected) !== watchKey(body.w)) {
        throw invalid(
          body.w.field === expected.field
            ? `This cursor was made for other arguments of ${expected.field}. Use it with the same arguments.`
            : `This cursor was made for ${body.w.field}, not for ${expected.field}. Use it where it came from.`,
        );
      }
      const { a: at, w: watch, p: page = null, l: afterLoss = false } = body;
      return { at, scope, watch, page, floors: floorsOf(body), afterLoss };
    },
  };
}

/** Throws BAD_USER_INPUT for what no cursor could hold. */
export function checkWatch(watch: Watch): void {
  if (Buffer.byteLength(JSON.stringify(watch)) > MAX_WATCH_BYTES) throw tooLong(watch);
}

function tooLong(watch: Watch): Customer360Error {
  const bytes = Buffer.byteLength(JSON.stringify(watch));
  return new Customer360Error(
    "BAD_USER_INPUT",
    `The arguments of ${watch.field} take ${bytes} bytes; what cursors are made of can have ${MAX_WATCH_BYTES} at most. Use a shorter filter.`,
  );
}

/** The beginning of a cursor's JSON in base64url, filled up so that the rest can be encoded by itself and put behind it. */
function headOf({ scope, watch }: Binding): string {
  const head: Head = { v: VERSION, s: scope, w: watch };
  const open = `${JSON.stringify(head).slice(0, -1)},`;
  const missing = -Buffer.byteLength(open) % BASE64_BYTES;
  return Buffer.from(open + " ".repeat((missing + BASE64_BYTES) % BASE64_BYTES)).toString("base64url");
}

function tailOf({ at, page, floors, afterLoss }: Resume): string {
  const tail: Tail = { a: at };
  if (page !== null) tail.p = page;
  if (floors !== null && floors.size > 0) tail.f = [...floors];
  if (afterLoss) tail.l = true;
  return Buffer.from(JSON.stringify(tail).slice(1)).toString("base64url");
}

function floorsOf(body: Tail): ReadonlyMap<string, number> | null {
  return body.f === undefined ? null : new Map(body.f);
}

function invalid(words: string): Customer360Error {
  return new Customer360Error("CURSOR_INVALID", words);
}
