import { HttpLoad } from "./http-load.ts";
import { compare, inWords } from "./measure.ts";
import type { Comparison } from "./measure.ts";
import { HUNDRED_CUSTOMERS, ONE_CUSTOMER } from "./operations.ts";
import { forkChild, meterOf } from "./remote.ts";
import type { Child } from "./remote.ts";
import type { Measure } from "./report.ts";
import type { RawProtocol, ServedProtocol } from "./served-protocol.ts";

interface Query {
  readonly path: string;
  readonly body: string;
  /** Requests of one run. */
  readonly requests: number;
}

const ONE: Query = {
  path: "/one",
  body: JSON.stringify({ query: ONE_CUSTOMER, variables: { id: "42" } }),
  requests: 1_000,
};
const HUNDRED: Query = {
  path: "/hundred",
  body: JSON.stringify({ query: HUNDRED_CUSTOMERS }),
  requests: 60,
};

interface Server<P extends ServedProtocol | RawProtocol> {
  readonly child: Child<P>;
  readonly port: number;
}

/**
 * Server CPU of queries, against a raw node:http server that parses the same
 * request and writes the same answer with JSON.stringify.
 */
export async function queryMeasures(): Promise<readonly Measure[]> {
  const product = forkChild<ServedProtocol>("served-child");
  const raw = forkChild<RawProtocol>("raw-child");
  try {
    const port = await product.ask("serve", { customers: 2_000, durable: true });
    const texts: Record<string, string> = {};
    for (const query of [ONE, HUNDRED]) texts[query.path] = await answerOf(port, query);
    const served = { child: product, port };
    const plain = { child: raw, port: await raw.ask("serve", texts) };
    const one = await comparison(served, plain, ONE);
    const hundred = await comparison(served, plain, HUNDRED);
    return [
      measure("a query of 20 fields against raw node:http, server CPU", one, 1.25),
      measure("a list of 100 with 20 fields each against raw node:http, server CPU", hundred, 1.2),
    ];
  } finally {
    await Promise.all([product.end(), raw.end()]);
  }
}

function measure(name: string, found: Comparison, goal: number): Measure {
  const { cpuRatio: value } = found;
  const note = inWords(found, "a request");
  return { name, value, unit: "ratio", better: "lower", firstStep: null, goal, note };
}

/** What the product answers, checked to be an answer. */
async function answerOf(port: number, { body }: Query): Promise<string> {
  const load = new HttpLoad({ port, path: "/graphql", body, expected: null });
  await load.run(1);
  const text = load.answer.toString();
  if (text.includes('"errors"') || !text.includes('"spending"')) throw new Error(`answered ${text}`);
  return text;
}

async function comparison(
  product: Server<ServedProtocol>,
  raw: Server<RawProtocol>,
  { path, body, requests }: Query,
): Promise<Comparison> {
  const expected = Buffer.from(await answerOf(product.port, { path, body, requests }));
  const ours = new HttpLoad({ port: product.port, path: "/graphql", body, expected });
  const theirs = new HttpLoad({ port: raw.port, path, body, expected });
  return compare(
    { run: () => ours.run(requests), meter: meterOf(product.child) },
    { run: () => theirs.run(requests * 5), meter: meterOf(raw.child) },
  );
}
