import type { Socket } from "node:net";

/** What a way through the proxy does with bytes: lets them pass, keeps them back, or loses them. */
export type Mode = "pass" | "hold" | "drop";

/** How a way is at the moment. */
export interface Weather {
  readonly mode: Mode;
  /** How much later the next piece arrives, in milliseconds; asked once for each. */
  readonly delayMs: () => number;
}

/** One direction of one connection. */
export interface Lane {
  /** The weather has changed: what was delayed is due, and what may go on does. */
  wake(): void;
  /** How many bytes it has lost: a stream with a hole must not go on. */
  lost(): number;
}

/** Where a lane gets its bytes, where they go, and what happens on the way. */
export interface LaneOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly weather: () => Weather;
}

/** What waits to go on. An end and a reset wait too: behind a dead link nobody learns that the other side is gone. */
interface Waiting {
  readonly what: Buffer | "end" | "reset";
  dueMs: number;
}

// Like a window of TCP: a side that may send for ever would fill the memory of the tests.
const MAX_WAITING_BYTES = 1 << 20;

/** Carries bytes from one socket to another, in order, as the weather allows. */
export function lane({ from, to, weather }: LaneOptions): Lane {
  const waiting: Waiting[] = [];
  let bytes = 0;
  let lost = 0;
  let full = false;
  let timer: NodeJS.Timeout | undefined;

  const hand = (what: Waiting["what"]): void => {
    if (what === "end") to.end();
    else if (what === "reset") to.resetAndDestroy();
    else {
      bytes -= what.length;
      full = !to.write(what);
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    while (!full && weather().mode !== "hold") {
      const [first] = waiting;
      if (first === undefined) break;
      const early = first.dueMs - performance.now();
      if (early > 0) {
        timer = setTimeout(flush, early);
        return;
      }
      waiting.shift();
      hand(first.what);
    }
    if (bytes < MAX_WAITING_BYTES) from.resume();
  };

  const add = (what: Waiting["what"]): void => {
    waiting.push({ what, dueMs: performance.now() + weather().delayMs() });
    flush();
  };

  from.on("data", (piece: Buffer) => {
    if (weather().mode === "drop") {
      lost += piece.length;
      return;
    }
    bytes += piece.length;
    if (bytes >= MAX_WAITING_BYTES) from.pause();
    add(piece);
  });
  from.once("end", () => add("end"));
  from.once("error", () => add("reset"));
  to.on("drain", () => {
    full = false;
    flush();
  });
  to.once("close", () => clearTimeout(timer));
  const wake = (): void => {
    for (const each of waiting) each.dueMs = 0;
    flush();
  };
  return { wake, lost: () => lost };
}
