/** A CPU profile as V8 gives it. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Node by sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Steps of the path of a change, and whose functions belong to each, by file or, in the engine itself, by name. */
const STEPS: readonly (readonly [step: string, belongs: RegExp])[] = [
  ["fetching and unpacking", /\/kafkajs\/|\/dist\/ingest\/kafka\//],
  ["decoding and checking", /\/dist\/(cdc|plan)\/|\/dist\/ingest\/read\./],
  [
    "routing and loading",
    /\/dist\/ingest\/(load|route|again|documents)\.|\/dist\/store\/mongo\/(load|places)\./,
  ],
  ["judging, folding, deriving, comparing", /\/dist\/customer\/|\/dist\/ingest\/apply\./],
  ["texts of updates, and publishing them", /\/dist\/updates\/|\/(ioredis|redis-parser)\/|-text\.js$/],
  ["making patches of documents", /\/dist\/store\//],
  ["BSON and the store's driver", /\/(bson|mongodb)\/lib\//],
  ["collecting garbage", /^\(garbage collector\)$/],
];

/** All else: sockets, timers, counts, acknowledgements. */
const REST = "all else";

/** Not of the process: waiting, and the profiler itself. */
const NOT_WORK: ReadonlySet<string> = new Set(["(idle)", "dispatch"]);

/** The share of each step of the time that was worked. A sample belongs to the step of its innermost function that has one. */
export function sharesOf({ nodes, samples, timeDeltas }: Profile): ReadonlyMap<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const known = new Map<number, string>();
  const stepOf = (id: number | undefined): string => {
    if (id === undefined) return REST;
    const found = known.get(id) ?? ownStep(byId.get(id)) ?? stepOf(callers.get(id));
    known.set(id, found);
    return found;
  };
  const times = new Map([...STEPS.map(([step]) => step), REST].map((step) => [step, 0]));
  let worked = 0;
  for (const [at, id] of samples.entries()) {
    const { url = "", functionName = "" } = byId.get(id)?.callFrame ?? {};
    if (url === "" && NOT_WORK.has(functionName)) continue;
    const us = timeDeltas[at] ?? 0;
    const step = stepOf(id);
    worked += us;
    times.set(step, (times.get(step) ?? 0) + us);
  }
  return new Map([...times].map(([step, us]) => [step, us / Math.max(1, worked)]));
}

function ownStep(node: ProfileNode | undefined): string | null {
  if (node === undefined) return null;
  const { functionName, url } = node.callFrame;
  return STEPS.find(([, belongs]) => belongs.test(url === "" ? functionName : url))?.[0] ?? null;
}
