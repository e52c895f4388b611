import { run } from "../../src/cli/program.ts";

/** What a command line came to. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end and answers all it said. */
export function said(...args: readonly string[]): Promise<Said> {
  return saidUntil(null, args);
}

/** The same, asked to stop as soon as it has said the given words. */
export async function saidUntil(words: string | null, args: readonly string[]): Promise<Said> {
  let out = "";
  let err = "";
  const stopping = new AbortController();
  const terminal = {
    out: (text: string) => {
      out += text;
      if (words !== null && out.includes(words)) stopping.abort();
    },
    err: (text: string) => void (err += text),
    interactive: false,
    color: false,
  };
  return { code: await run(args, terminal, stopping.signal), out, err };
}
