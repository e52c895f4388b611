import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Meter } from "./measure.ts";

/** What a child process can be asked for, by name. */
export type Protocol = Readonly<Record<string, { readonly ask: unknown; readonly answer: unknown }>>;

/** What every child answers about itself. */
export type Common = {
  /** Processor time so far, microseconds. */
  readonly cpuUs: { readonly ask: null; readonly answer: number };
  /** Collects garbage; answers the bytes of heap in use after it. */
  readonly heapBytes: { readonly ask: null; readonly answer: number };
};

/** A child process: the served side of a measure, so that its cost is not mixed with the load's. */
export interface Child<P extends Protocol> {
  /** Rejects with the child's failure, or when the child is gone. */
  ask<N extends keyof P & string>(name: N, ask: P[N]["ask"]): Promise<P[N]["answer"]>;
  /** Ends the process, once it has cleaned up. */
  end(): Promise<void>;
}

type Request = { readonly id: number; readonly name: string; readonly ask: unknown };
type Response = { readonly id: number; readonly answer: unknown; readonly fault: string | null };
interface Call {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a file of this folder as a child process, by its name without extension. */
export function forkChild<P extends Protocol>(name: string): Child<P> {
  const file = fileURLToPath(new URL(`${name}${extname(import.meta.url)}`, import.meta.url));
  const child = fork(file, [], { execArgv: ["--expose-gc"] });
  const calls = new Map<number, Call>();
  let asked = 0;
  child.on("message", (message: Response) => {
    const call = calls.get(message.id);
    calls.delete(message.id);
    if (message.fault === null) call?.resolve(message.answer);
    else call?.reject(new Error(`${name}: ${message.fault}`));
  });
  child.on("exit", (code, signal) => {
    for (const { reject } of calls.values()) reject(new Error(`${name} ended (${String(code ?? signal)})`));
    calls.clear();
  });
  return {
    ask: (what, ask) =>
      new Promise<never>((resolve, reject) => {
        asked += 1;
        calls.set(asked, { resolve: resolve as (answer: unknown) => void, reject });
        child.send({ id: asked, name: what, ask } satisfies Request, (error) => {
          if (error !== null) reject(error);
        });
      }),
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once("exit", () => resolve());
        if (child.connected) child.disconnect();
      }),
  };
}

/** What a child answers, besides what every child does. */
export type Answers<P extends Protocol> = {
  readonly [N in Exclude<keyof P, keyof Common>]: (
    ask: P[N]["ask"],
  ) => P[N]["answer"] | Promise<P[N]["answer"]>;
};

/**
 * In a child process: answers the parent until it disconnects or is gone, then cleans up and exits. A Ctrl-C reaches parent
 * and child alike; the child leaves it to the parent. What is to be removed at the exit is removed at a SIGTERM too.
 */
export function answerParent<P extends Protocol>(
  answers: Answers<P>,
  cleanUp: () => Promise<void> = () => Promise.resolve(),
): void {
  const known = new Map<string, (ask: never) => unknown>(Object.entries({ cpuUs, heapBytes, ...answers }));
  const reply = (response: Response) => {
    if (process.connected) process.send?.(response);
  };
  process.on("message", ({ id, name, ask }: Request) => {
    Promise.resolve(ask as never)
      .then(known.get(name) ?? (() => Promise.reject(new Error(`it cannot be asked for ${name}`))))
      .then(
        (answer) => reply({ id, answer, fault: null }),
        (error: unknown) =>
          reply({ id, answer: null, fault: error instanceof Error ? String(error.stack) : String(error) }),
      );
  });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => process.exit(143));
  process.on("disconnect", () => void cleanUp().finally(() => process.exit()));
}

/** Measures a child. */
export function meterOf(child: Child<Common>): Meter {
  return {
    cpuUs: () => child.ask("cpuUs", null),
    settle: async () => {
      globalThis.gc?.();
      await child.ask("heapBytes", null);
    },
  };
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Frees what nothing holds, also what only finalizers and the next turns let go of. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function heapBytes(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}
