import { dirname, join, normalize } from "node:path/posix";

/** Source text by path from the repository's root, such as `src/cdc/change.ts`. */
export type Files = ReadonlyMap<string, string>;

/** Finds what breaks it, one line each: `file: what`. */
export type Rule = (files: Files) => readonly string[];

/** What one file imports, as written. */
interface Import {
  readonly from: string;
  readonly types: boolean;
}

const IMPORT = /^(?:import|export)\s+(type\s)?[^;"']*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']/gms;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(text: string): readonly Import[] {
  const fixed = [...text.matchAll(IMPORT)].map(([, types, from, bare]) => ({
    from: from ?? bare ?? "",
    types: types !== undefined,
  }));
  return [...fixed, ...[...text.matchAll(DYNAMIC)].map(([, from]) => ({ from: from ?? "", types: false }))];
}

function resolved(file: string, from: string): string {
  return normalize(join(dirname(file), from));
}

function isLocal({ from }: Import): boolean {
  return from.startsWith(".");
}

/** Without comments, and without what is inside quotes: rules about words look at code only. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:])\/\/.*$/gm, "$1")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/`[^`]*`/g, "``");
}

function folder(file: string): string {
  const [, second = "", third] = file.split("/");
  return third === undefined ? second.replace(/\.ts$/, "") : second;
}

/** Which folders (or root files) of src a folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cdc: [],
  customer: ["cdc"],
  errors: [],
  redact: [],
  log: ["redact", "errors"],
  "json-log": ["log", "redact"],
  clock: [],
  "metrics-list": [],
  metrics: ["metrics-list"],
  prometheus: ["metrics", "metrics-list"],
  config: ["errors", "log"],
  doctor: ["clock"],
  embedded: ["errors"],
  plan: ["cdc", "customer", "errors"],
  demo: ["cdc", "clock", "errors", "ingest/source"],
  ingest: [
    "cdc",
    "customer",
    "clock",
    "doctor",
    "metrics",
    "log",
    "errors",
    "store/store",
    "updates/updates",
  ],
  store: ["cdc", "customer", "clock", "doctor", "embedded", "log", "errors", "ingest/source"],
  updates: [
    "customer",
    "clock",
    "doctor",
    "metrics",
    "log",
    "errors",
    "embedded",
    "store/document-text",
    "store/utf8-text",
  ],
  resolvers: [
    "cdc",
    "customer",
    "clock",
    "metrics",
    "log",
    "errors",
    "ingest/source",
    "store/reads",
    "store/store",
    "updates",
  ],
  schema: ["cdc", "customer", "plan", "resolvers", "store/reads", "updates", "ingest/source"],
  server: ["errors", "metrics", "log", "clock", "resolvers"],
};

/** Imports point down: the core knows nobody, adapters know their port, only adapters.ts knows them all. */
export const direction: Rule = (files) =>
  [...files].flatMap(([file, text]) => {
    const allowed = MAY_IMPORT[folder(file)];
    if (allowed === undefined) return [];
    return importsOf(text)
      .filter(isLocal)
      .map(({ from }) => resolved(file, from))
      .filter((to) => folder(to) !== folder(file))
      .filter((to) => !allowed.some((root) => to === `src/${root}.ts` || to.startsWith(`src/${root}/`)))
      .map((to) => `${file}: may not import ${to}`);
  });

const IMPURE =
  /\b(Date\.now|new Date\(\s*\)|Math\.random|performance\.|process\.|console\.|globalThis|setTimeout|setInterval|setImmediate|crypto\.|fetch\()/;

/** cdc and customer are functions of their arguments: no package, no Node module, no clock, chance, environment or console. */
export const purity: Rule = (files) =>
  [...files]
    .filter(([file]) => /^src\/(cdc|customer)\//.test(file))
    .flatMap(([file, text]) => [
      ...importsOf(text)
        .filter((each) => !isLocal(each))
        .map(({ from }) => `${file}: imports ${from}`),
      ...code(text)
        .split("\n")
        .flatMap((line) => IMPURE.exec(line)?.[0] ?? [])
        .map((found) => `${file}: uses ${found}`),
    ]);

/** No import cycle of any length, type imports included. */
export const noCycles: Rule = (files) => {
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push(`${file}: cycle ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      return;
    }
    state.set(file, "open");
    for (const each of importsOf(files.get(file) ?? "").filter(isLocal)) {
      const to = resolved(file, each.from);
      if (files.has(to)) visit(to, [...path, file]);
    }
    state.set(file, "done");
  };
  for (const file of files.keys()) visit(file, []);
  return cycles;
};

/** `src/index.ts` is the only file that re-exports, and it names what it gives out. */
export const noBarrels: Rule = (files) =>
  [...files].flatMap(([file, text]) => [
    ...(/\/.*\/index\.ts$/.test(file) ? [`${file}: an index.ts below src/index.ts`] : []),
    ...(/^export\s+(type\s+)?\*/m.test(text) ? [`${file}: exports by star`] : []),
    ...(file !== "src/index.ts" && /^export\s+(type\s+)?\{[^}]*\}\s*from\b/m.test(text)
      ? [`${file}: passes on what another file exports`]
      : []),
  ]);

/** Client libraries, and the files that may import them. */
const CLIENTS: readonly (readonly [library: RegExp, only: RegExp])[] = [
  [/^libsql$/, /^src\/embedded\/database\.ts$/],
  [/^@marcbachmann\/cel-js/, /^src\/plan\/cel\/cel\.ts$/],
  [/^re2js$/, /^src\/plan\/cel\/patterns\.ts$/],
  [/^yaml$/, /^src\/plan\/document\.ts$/],
  [/^zod$/, /^src\/(plan\/file|config)\.ts$/],
  [/^@pothos\//, /^src\/schema\//],
  [/^(graphql-yoga|@graphql-yoga\/)/, /^src\/server\/(yoga|graphiql\/graphiql)\.ts$/],
  // The benchmark holds the product against the bare library, and so has to know it.
  [/^graphql-ws(\/|$)/, /^src\/server\/streams\/protocol\.ts$/],
  [/^ws(\/|$)/, /^src\/(server\/streams\/link|bench\/raw-child)\.ts$/],
  [/^(commander|cli-progress)$/, /^src\/cli\//],
  [/^ioredis/, /^src\/updates\/redis\/client\.ts$/],
  [/^mongodb(\/|$)/, /^src\/store\/mongo\/client\.ts$/],
  [/^kafkajs-snappy$/, /^src\/ingest\/kafka\/codecs\/snappy\.ts$/],
  [/^kafkajs(\/|$)/, /^src\/ingest\/kafka\/client\/client\.ts$/],
  [/^lz4js$/, /^src\/ingest\/kafka\/codecs\/lz4\.ts$/],
  [/^pino$/, /^src\/json-log\.ts$/],
  [/^prom-client$/, /^src\/prometheus\.ts$/],
  [/^fzstd$/, /^src\/ingest\/kafka\/codecs\/zstd\.ts$/],
];

/** A client library is known to one file, so that replacing it is the change of one file. */
export const oneClientFile: Rule = (files) =>
  [...files].flatMap(([file, text]) =>
    importsOf(text).flatMap(({ from }) => {
      const client = CLIENTS.find(([library]) => library.test(from));
      return client === undefined || client[1].test(file) ? [] : [`${file}: imports ${from}`];
    }),
  );

const ADAPTER = /^src\/(ingest\/\w+\/source|demo\/demo-source|store\/\w+\/store|updates\/\w+\/updates)\.ts$/;

/** Adapters are chosen in adapters.ts alone. The benchmark knows them too: it measures them one by one, and beside doubles. */
export const adaptersInApp: Rule = (files) =>
  [...files]
    .filter(([file]) => file !== "src/adapters.ts" && !file.startsWith("src/bench/"))
    .flatMap(([file, text]) =>
      importsOf(text)
        .filter(isLocal)
        .map(({ from }) => resolved(file, from))
        .filter((to) => ADAPTER.test(to))
        .map((to) => `${file}: imports the adapter ${to}`),
    );

/** What a port and its adapters share lies in the port's folder; a folder below it is an adapter. `replay` is a step of ingest. */
const ADAPTER_FOLDER = /^src\/(?:ingest\/(?:files|kafka)|store\/(?:mongo|sqlite)|updates\/(?:local|redis))\//;

/** An adapter can be replaced or removed alone: below the files that put a process together, only its own folder knows it. */
export const adaptersApart: Rule = (files) =>
  [...files]
    .filter(([file]) => /^src\/(?!bench\/)[^/]+\//.test(file))
    .flatMap(([file, text]) => {
      const own = ADAPTER_FOLDER.exec(file)?.[0];
      return importsOf(text)
        .filter(isLocal)
        .map(({ from }) => resolved(file, from))
        .filter((to) => {
          const theirs = ADAPTER_FOLDER.exec(to)?.[0];
          return theirs !== undefined && theirs !== own;
        })
        .map((to) => `${file}: imports ${to}, which belongs to an adapter`);
    });

/** Whatever is declared behind it: a form nobody thought of must not slip through. Lists of names are declared elsewhere. */
const EXPORT = /^export (?!(?:type )?[{*]).*$/gm;
const DOC = /\/\*\*(?:(?!\*\/)[^])*\*\/\n$/;

/** Every exported name says what it is for. */
export const documented: Rule = (files) =>
  [...files].flatMap(([file, text]) =>
    [...text.matchAll(EXPORT)]
      .filter(({ index }) => !DOC.test(text.slice(0, index)))
      .map(([line]) => `${file}: no doc comment before ${line}`),
  );

/** `createPubSub` dies with its slowest reader and mixes up subscribers; generators around a source never let go of it. */
export const safeStreams: Rule = (files) =>
  [...files].flatMap(([file, text]) => {
    const plain = code(text);
    return [
      ...(/\bcreatePubSub\b/.test(plain) ? [`${file}: createPubSub`] : []),
      ...(/^src\/(updates|resolvers|schema|server)\//.test(file) && /\basync\s*(function\s*)?\*/.test(plain)
        ? [`${file}: an async generator`]
        : []),
    ];
  });

/** No escape from the type checker, no default exports, no file that holds two ideas. */
export const style: Rule = (files) =>
  [...files].flatMap(([file, text]) => {
    const plain = code(text);
    return [
      ...(/(:\s*any\b|<any>|\bas any\b)/.test(plain) ? [`${file}: any`] : []),
      ...(/@ts-(ignore|expect-error|nocheck)|oxlint-disable|eslint-disable/.test(text)
        ? [`${file}: a suppression`]
        : []),
      ...(/[\w\])]!(\.|;|,|\)|\[)/.test(plain) ? [`${file}: a non-null assertion`] : []),
      ...(/^export default/m.test(plain) ? [`${file}: a default export`] : []),
      ...(text.split("\n").length > 351 ? [`${file}: longer than 350 lines`] : []),
      ...(/^src\/(?!config\.ts)/.test(file) && /process\.env\b/.test(plain)
        ? [`${file}: reads process.env`]
        : []),
    ];
  });
