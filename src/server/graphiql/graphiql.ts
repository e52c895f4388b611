import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { GraphQLSchema } from "graphql";
import { sampleOperations } from "./samples.ts";
import type { SampleOperation } from "./samples.ts";

/** GraphiQL, served from the installed package: no other host is ever asked. */
export interface Graphiql {
  /** The page itself. */
  page(response: ServerResponse): Promise<void>;
  /** A file of the page by its path; answers false for a path that is none of its files. */
  file(path: string, options: { readonly gzip: boolean }, response: ServerResponse): Promise<boolean>;
}

/** Where GraphiQL is served, and for what. */
export interface GraphiqlOptions {
  readonly schema: GraphQLSchema;
  /** Path of the GraphQL endpoint. */
  readonly endpoint: string;
  /** Where its files are, such as `/graphiql/`; their names change with their content. */
  readonly filesPath: string;
}

interface Asset {
  readonly type: string;
  readonly content: string | Buffer;
  gzipped: Promise<Buffer> | null;
}

/** What the page is made of, once loaded. */
interface Site {
  readonly html: string;
  readonly assets: ReadonlyMap<string, Asset>;
}

const SCRIPT = "text/javascript; charset=utf-8";

/** Tabs glide to their place on the first click, away from under the pointer, and the click is lost. */
const STILL_TABS = ".graphiql-tab { transform: none !important; }";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  // The editor sets style attributes and its own style elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Makes the page and its files; nothing is loaded before somebody asks. */
export function createGraphiql(options: GraphiqlOptions): Graphiql {
  let loading: Promise<Site> | null = null;
  const site = () => (loading ??= load(options));
  return {
    async page(response) {
      const { html } = await site();
      response.setHeader("content-security-policy", POLICY);
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(html);
    },
    async file(path, accepts, response) {
      if (!path.startsWith(options.filesPath)) return false;
      const asset = (await site()).assets.get(path);
      if (!asset) return false;
      response.setHeader("cache-control", "public, max-age=31536000, immutable");
      response.setHeader("content-type", asset.type);
      response.setHeader("vary", "accept-encoding");
      // A worker is a document of its own to the browser: it needs the policy too.
      response.setHeader("content-security-policy", POLICY);
      if (!accepts.gzip) {
        response.end(asset.content);
        return true;
      }
      asset.gzipped ??= promisify(gzip)(asset.content);
      const bytes = await asset.gzipped;
      response.setHeader("content-encoding", "gzip");
      response.end(bytes);
      return true;
    },
  };
}

/** Loaded at the first request: nine megabytes that a server nobody looks at this way never needs. */
async function load({ schema, endpoint, filesPath }: GraphiqlOptions): Promise<Site> {
  const parts = await import("@graphql-yoga/render-graphiql/graphiql");
  const assets = new Map<string, Asset>();
  const add = (name: string, type: string, content: string | Buffer): string => {
    const [stem, extension] = name.split(".");
    const hash = createHash("sha256").update(content).digest("base64url").slice(0, 12);
    const path = `${filesPath}${stem}-${hash}.${extension}`;
    assets.set(path, { type, content, gzipped: null });
    return path;
  };
  const workers = {
    editorWorkerService: add("editor-worker.js", SCRIPT, parts.editorWorkerService),
    json: add("json-worker.js", SCRIPT, parts.jsonWorker),
    graphql: add("graphql-worker.js", SCRIPT, parts.graphqlWorker),
  };
  const icon = add("favicon.ico", "image/x-icon", Buffer.from(parts.favicon.split(",")[1] ?? "", "base64"));
  const style = add("graphiql.css", "text/css; charset=utf-8", `${parts.css}\n${STILL_TABS}`);
  const environment = add("environment.js", SCRIPT, environmentScript(workers));
  const script = add("graphiql.js", SCRIPT, parts.js);
  const start = add("start.js", SCRIPT, startScript(endpoint, sampleOperations(schema)));
  return { html: htmlOf({ icon, style, scripts: [environment, script, start] }), assets };
}

function environmentScript(workers: Readonly<Record<string, string>>): string {
  return `const workers = ${JSON.stringify(workers)};
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => workers[label] ?? workers.editorWorkerService };
`;
}

function startScript(endpoint: string, samples: readonly SampleOperation[]): string {
  const options = {
    title: "customer360",
    endpoint,
    subscriptionsProtocol: "WS",
    defaultEditorToolsVisibility: "variables",
    schemaDescription: true,
    inputValueDeprecation: true,
    defaultTabs: samples,
  };
  return `YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), ${JSON.stringify(options)});\n`;
}

function htmlOf(files: { icon: string; style: string; scripts: readonly string[] }): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>customer360 GraphiQL</title>
    <link rel="icon" href="${files.icon}" />
    <link rel="stylesheet" href="${files.style}" />
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript. The endpoint itself does not: POST {"query": "{ pipeline { name } }"} to it.</noscript>
    <div id="root"></div>
${files.scripts.map((path) => `    <script src="${path}" defer></script>`).join("\n")}
  </body>
</html>
`;
}
