import type { Common } from "./remote.ts";

/** What the process that runs the product can be asked for. */
export type ServedProtocol = Common & {
  /** Ingests so many customers and serves them; answers the port. With `durable`, updates travel through SQLite too. */
  readonly serve: {
    readonly ask: { readonly customers: number; readonly durable: boolean };
    readonly answer: number;
  };
  /** Subscriptions open now. */
  readonly subscriptions: { readonly ask: null; readonly answer: number };
  /** Makes an update of each of these customers, so many times over, to be published later. */
  readonly prepare: {
    readonly ask: { readonly customers: readonly string[]; readonly times: number };
    readonly answer: null;
  };
  /** Publishes what was prepared for one time, a few updates per turn of the event loop. */
  readonly publish: { readonly ask: null; readonly answer: null };
  /** Changes per second of the whole durable path, with nobody watching. */
  readonly capacity: { readonly ask: null; readonly answer: number };
  /** Hands a change of each of these customers to the running pipeline, the stamp in its note. */
  readonly push: {
    readonly ask: { readonly customers: readonly number[]; readonly stampUs: number };
    readonly answer: null;
  };
};

/** What the process with the raw servers can be asked for. */
export type RawProtocol = Common & {
  /** Serves these answers over HTTP by path, and WebSockets that are only ever sent to; answers the port. */
  readonly serve: { readonly ask: Readonly<Record<string, string>>; readonly answer: number };
  /** Sends a text to every socket in one go. */
  readonly broadcast: { readonly ask: string; readonly answer: null };
  /** Sends a text to one socket after the other, a few per turn of the event loop. */
  readonly unicast: { readonly ask: string; readonly answer: null };
  readonly sockets: { readonly ask: null; readonly answer: number };
};

/** Deliveries begun per turn of the event loop, by product and raw server alike. */
export const PER_TURN = 100;

/** Text before a stamp in a note, and after it. */
export const STAMP = { before: "stamp ", after: "." } as const;
