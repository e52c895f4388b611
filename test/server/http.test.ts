import { once } from "node:events";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { codeOf } from "../../src/errors.ts";
import type { Log } from "../../src/log.ts";
import { silentLog } from "../../src/log.ts";
import type { Context } from "../../src/resolvers/context.ts";
import { buildSchema } from "../../src/schema/schema.ts";
import { createServer } from "../../src/server/http.ts";
import type { ApiServer, ServerOptions } from "../../src/server/http.ts";
import { settle } from "../helpers/manual-clock.ts";
import { bank, bankContext } from "../resolvers/bank.ts";

const schema = buildSchema(bank);
let ready = true;
const logged: string[] = [];
const log: Log = {
  ...silentLog,
  error: (message, facts) => logged.push(`${message} ${JSON.stringify(facts)}`),
};
const context: Context = bankContext(300);

function serverOf(options: Partial<ServerOptions> = {}): ApiServer {
  const contextFor = () => context;
  return createServer({
    schema,
    contextFor,
    graphiql: true,
    origins: [],
    status: { reasons: () => (ready ? [] : ["not serving yet, or stopping"]) },
    log,
    ...options,
  });
}

const server = serverOf({ origins: ["https://bank.example"] });
let url = "";
beforeAll(async () => {
  url = (await server.listen("127.0.0.1", 0)).url;
});
afterAll(() => server.close());
afterEach(() => {
  ready = true;
  logged.length = 0;
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request with exactly these headers: `fetch` would not send some of them. */
async function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const { body, ...rest } = options;
  const sent = request({ hostname, port, path, agent: false, ...rest });
  sent.on("error", () => {});
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

const JSON_TYPE = { "content-type": "application/json" };

async function post(query: string, headers: Record<string, string> = {}, variables: unknown = {}) {
  const body = JSON.stringify({ query, variables });
  const answer = await send("/graphql", { method: "POST", headers: { ...JSON_TYPE, ...headers }, body });
  return { ...answer, json: JSON.parse(answer.body.toString()) };
}

describe("answers", () => {
  test("fields come in the order they were asked for", async () => {
    const { body } = await post(
      '{ customer(customerId: "001") { revision metrics { payments } customerId } pipeline { name } }',
    );
    expect(body.toString()).toBe(
      '{"data":{"customer":{"revision":2,"metrics":{"payments":3},"customerId":"001"},"pipeline":{"name":"bank"}}}',
    );
  });

  test.each([
    [
      "a list longer than allowed",
      "{ customers(first: 201) { totalCount } }",
      {},
      "`first` must be 1 to 200, not 201.",
    ],
    [
      "the same through a variable",
      "query ($n: Int) { customers(first: $n) { totalCount } }",
      { n: 201 },
      "`first` must be 1 to 200, not 201.",
    ],
    ["an id nobody made", '{ node(id: "x") { id } }', {}, "`id` is not a global id of this schema."],
    [
      "a decimal that is none",
      '{ customers(filter: { metrics: { spendTotal: { gt: "1e3" } } }) { totalCount } }',
      {},
      "Decimal must be a decimal number",
    ],
    [
      "a decimal that is none, as a variable",
      "query ($v: Decimal) { customers(filter: { metrics: { spendTotal: { gt: $v } } }) { totalCount } }",
      { v: "x" },
      "Decimal must be a decimal number",
    ],
  ])("%s is BAD_USER_INPUT", async (_, query, variables, words) => {
    const { json } = await post(query, {}, variables);
    expect(json.errors[0].message).toContain(words);
    expect(json.errors[0].extensions.code).toBe("BAD_USER_INPUT");
  });

  test("a forged cursor is CURSOR_INVALID, an unknown segment NOT_FOUND", async () => {
    const codes = async (query: string) => (await post(query)).json.errors[0].extensions.code;
    expect(await codes('{ changesSince(after: "x") { endCursor } }')).toBe("CURSOR_INVALID");
    expect(await codes('{ customers(first: 1) { nodes { bankAccounts(after: "x") { totalCount } } } }')).toBe(
      "CURSOR_INVALID",
    );
    expect(await codes('{ segment(key: "x") { key } }')).toBe("NOT_FOUND");
  });

  test("syntax and validation errors have their codes", async () => {
    expect((await post("{")).json.errors[0].extensions.code).toBe("GRAPHQL_PARSE_FAILED");
    expect((await post("{ nope }")).json.errors[0].extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("a fault of a document is reported once", async () => {
    expect((await post("{ nope }")).json.errors).toHaveLength(1);
  });

  test("a subscription that does not ask for an event stream is told how to", async () => {
    const { json } = await post("subscription { customersUpdates { __typename } }", { accept: "*/*" });
    expect(json.errors[0].message).toContain("text/event-stream");
    expect(json.errors[0].extensions.code).toBe("BAD_USER_INPUT");
  });

  test.each([
    ["variables", "{", "application/json"],
    ["variables", "{", "text/event-stream"],
    ["extensions", "nothing", "application/graphql-response+json"],
  ])("`%s` of an address that is not JSON is a fault of the request: %s", async (name, value, accept) => {
    const path = `/graphql?query={__typename}&${name}=${value}`;
    const answer = await send(path, { headers: { accept } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString()).errors).toEqual([
      { message: `\`${name}\` is not JSON.`, extensions: { code: "BAD_USER_INPUT" } },
    ]);
    expect((await send(`/graphql?query={__typename}&${name}=`, {})).status).toBe(200);
    expect((await send(`/graphql?query={__typename}&${name}={}`, {})).status).toBe(200);
  });

  test.each([
    "subscription { customersUpdates @skip(if: true) { __typename } }",
    "subscription { ... { customersUpdates @skip(if: false) { __typename } } }",
    "subscription { ...All @include(if: false) } fragment All on Subscription { customersUpdates { __typename } }",
    "subscription { ...All } fragment All on Subscription { customersUpdates @include(if: true) { __typename } }",
  ])("a subscription whose field may be left out is no valid one: %s", async (query) => {
    for (const accept of ["text/event-stream", "application/graphql-response+json"]) {
      const headers = { ...JSON_TYPE, accept };
      const answer = await send("/graphql", { method: "POST", headers, body: JSON.stringify({ query }) });
      const text = answer.body.toString();
      expect(text).toMatch(/The field of a subscription cannot be left out: take away @(skip|include)\./);
      expect(text).toContain("GRAPHQL_VALIDATION_FAILED");
    }
  });

  test("so is one that a variable would leave out", async () => {
    const query = "subscription ($no: Boolean = true) { customersUpdates @skip(if: $no) { __typename } }";
    for (const accept of ["text/event-stream", "application/graphql-response+json"]) {
      const { json } = await post(query, { accept });
      expect(json.errors[0].extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
    }
  });

  test("a page of offers costs one read of customers over the wire as well", async () => {
    const counted = bankContext(100);
    const own = serverOf({ contextFor: () => counted });
    const { url: at } = await own.listen("127.0.0.1", 0);
    const body = JSON.stringify({ query: "{ offers(first: 100) { nodes { customer { customerId } } } }" });
    await (await fetch(`${at}/graphql`, { method: "POST", headers: JSON_TYPE, body })).text();
    await own.close();
    expect(counted.reads.calls).toEqual(["listOffers", "customers 67"]);
  });
});

describe("secrets", () => {
  test("what fails inside reaches the log, and the client gets an id to find it by", async () => {
    const secret = "SELECT secret FROM /var/lib/customers.db";
    const own = serverOf({
      contextFor: () => ({
        ...context,
        reads: { ...context.reads, listOffers: () => Promise.reject(new Error(secret)) },
      }),
    });
    const { url: at } = await own.listen("127.0.0.1", 0);
    const body = JSON.stringify({ query: "{ offers { pageInfo { hasNextPage } } }" });
    const text = await (await fetch(`${at}/graphql`, { method: "POST", headers: JSON_TYPE, body })).text();
    await own.close();
    expect(text).not.toMatch(/secret|var|Error:|\.ts/);
    const [error] = JSON.parse(text).errors;
    expect(error.extensions).toEqual({ code: "INTERNAL_ERROR", id: expect.stringMatching(/^[\da-f-]{36}$/) });
    expect(logged.join("\n")).toContain(secret);
    expect(logged.join("\n")).toContain(error.extensions.id);
  });
});

describe("clients that leave", () => {
  test.each(["text/event-stream", "application/json"])(
    "in the middle of a request for %s are nobody's fault, and not in the log as one",
    async (accept) => {
      const logs = logged.length;
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\nContent-Type: application/json\r\n` +
          'Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{"query":',
      );
      // It has begun to read the body.
      await once(socket, "data");
      socket.resetAndDestroy();
      await once(socket, "close");
      for (let asked = 0; asked < 3; asked += 1) await post("{ __typename }");
      expect(logged.slice(logs)).toEqual([]);
    },
  );
});

describe("limits", () => {
  const nested = (depth: number) =>
    `{ customer(customerId: "000") ${"{ offers { nodes { customer ".repeat(depth)}{ id } ${"} } }".repeat(depth)} }`;

  test.each([
    ["deep", nested(10)],
    ["very deep", nested(400)],
    ["wide in aliases", `{ ${Array.from({ length: 61 }, (_, n) => `a${n}: pipeline { name }`).join(" ")} }`],
    ["long", `{ ${"pipeline { name } ".repeat(600)} }`],
    [
      "multiplying pages",
      "{ customers(first: 200) { nodes { offers(first: 200) { nodes { customer { offers(first: 200) { nodes { key } } } } } } } }",
    ],
    [
      "multiplying pages by variables",
      "query ($n: Int) { customers(first: $n) { nodes { offers(first: $n) { nodes { customer { offers(first: $n) { nodes { key } } } } } } } }",
    ],
    [
      "multiplying in fragments",
      "{ customers(first: 200) { nodes { ...A } } } fragment A on Customer { offers(first: 200) { nodes { customer { ...B } } } } fragment B on Customer { offers(first: 200) { nodes { key } } }",
    ],
  ])("an operation that is %s is refused before it costs anything", async (_, query) => {
    const { json } = await post(query);
    expect(json.data).toBeUndefined();
    expect(["TOO_EXPENSIVE", "GRAPHQL_PARSE_FAILED"]).toContain(json.errors[0].extensions.code);
  });

  test("fragments that spread each other are an error, not a loop", async () => {
    const { json } = await post("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }");
    expect(json.errors[0].extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("fragments that all spread each other are not followed along every way there is", async () => {
    const names = ["A", "B", "C", "D", "E", "F", "G", "H", "I"];
    const all = names.map((name) => `...${name}`).join(" ");
    const { json } = await post(
      `{ ...A } ${names.map((name) => `fragment ${name} on Query { ${all} }`).join(" ")}`,
    );
    const codes = json.errors.map((error: { extensions: { code: string } }) => error.extensions.code);
    expect(codes).toContain("TOO_EXPENSIVE");
  });

  test.each([65, 5_000, 100_000])(
    "variables nested %d levels deep are the client's fault",
    async (levels) => {
      const query = "query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }";
      const filter = `${'{"not":'.repeat(levels)}{}${"}".repeat(levels)}`;
      const body = `{"query":${JSON.stringify(query)},"variables":{"f":${filter}}}`;
      const logs = logged.length;
      for (const accept of ["application/json", "application/json, */*;q=0.5", "text/event-stream"]) {
        const answer = await send("/graphql", { method: "POST", headers: { ...JSON_TYPE, accept }, body });
        expect(answer.body.toString()).toContain("64 levels deep at most");
        expect(answer.body.toString()).toContain('"BAD_USER_INPUT"');
      }
      expect(logged.slice(logs)).toEqual([]);
    },
  );

  test("the usual introspection query passes", async () => {
    const { getIntrospectionQuery } = await import("graphql");
    const { json } = await post(
      getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true, oneOf: true }),
    );
    expect(json.errors).toBeUndefined();
  });

  test("a body over a megabyte is 413, announced or not", async () => {
    const body = JSON.stringify({ query: "{ pipeline { name } }", variables: { x: "x".repeat(1_100_000) } });
    expect((await send("/graphql", { method: "POST", headers: JSON_TYPE, body })).status).toBe(413);
    const chunked = { ...JSON_TYPE, "transfer-encoding": "chunked" };
    expect((await send("/graphql", { method: "POST", headers: chunked, body })).status).toBe(413);
  });

  test.each([
    ["text/plain", {}],
    ["application/x-www-form-urlencoded", {}],
    ["multipart/form-data; boundary=x", {}],
    ["application/graphql", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("a body of %s %j is 415: no form of another page can send what is taken", async (type, more) => {
    const answer = await send("/graphql", {
      method: "POST",
      headers: { "content-type": type, ...more },
      body: "{}",
    });
    expect(answer.status).toBe(415);
  });

  test("a batch is refused", async () => {
    const body = JSON.stringify([{ query: "{ pipeline { name } }" }]);
    expect((await send("/graphql", { method: "POST", headers: JSON_TYPE, body })).status).toBe(400);
  });
});

describe("who may ask", () => {
  const query = "/graphql?query=%7Bpipeline%7Bname%7D%7D";

  test.each([
    ["another page", { origin: "https://evil.example" }, 403],
    ["a page without an origin", { origin: "null" }, 403],
    ["another page that sends no origin", { "sec-fetch-site": "cross-site" }, 403],
    ["another name that leads here", { host: "evil.example:4000" }, 403],
    [
      "another name that leads here, as its own page",
      { host: "evil.example", origin: "http://evil.example" },
      403,
    ],
    ["a listed page", { origin: "https://bank.example" }, 200],
    ["a name of this machine", { host: "localhost:4000" }, 200],
    ["an address of this machine", { host: "[::1]:4000", origin: "http://[::1]:4000" }, 200],
    ["no page at all", {}, 200],
  ])("%s gets %j -> %s", async (_, headers, status) => {
    expect((await send(query, { headers: { accept: "application/json", ...headers } })).status).toBe(status);
  });

  test("only listed pages are told that they may read the answer", async () => {
    const header = async (origin: string) =>
      (await send(query, { headers: { origin } })).headers["access-control-allow-origin"];
    expect(await header("https://bank.example")).toBe("https://bank.example");
    expect(await header("https://evil.example")).toBeUndefined();
    const preflight = await send("/graphql", {
      method: "OPTIONS",
      headers: { origin: "https://bank.example" },
    });
    expect([preflight.status, preflight.headers["access-control-allow-headers"]]).toEqual([
      204,
      "content-type, last-event-id",
    ]);
  });
});

test("a client that left is not answered again by another way", async () => {
  let [asked, release] = [0, () => {}];
  const gate = new Promise<void>((resolve) => (release = resolve));
  const reads: Context["reads"] = {
    ...context.reads,
    listCustomers: async (wanted) => {
      asked += 1;
      await gate;
      return context.reads.listCustomers(wanted);
    },
  };
  const one = serverOf({ contextFor: () => ({ ...context, reads }) });
  const { hostname, port } = new URL((await one.listen("127.0.0.1", 0)).url);
  const path = `/graphql?query=${encodeURIComponent("{ customers(first: 1) { totalCount } }")}`;
  const sent = request({ hostname, port, path, agent: false, headers: { accept: "text/event-stream" } });
  sent.on("error", () => {});
  sent.end();
  while (asked === 0) await settle(1);
  sent.destroy();
  await settle(100);
  release();
  await settle(100);
  expect(asked).toBe(1);
  await one.close();
});

describe("health", () => {
  test("alive is not ready", async () => {
    ready = false;
    expect((await send("/healthz")).status).toBe(200);
    const answer = await send("/readyz");
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
      503,
      { ready: false, reasons: ["not serving yet, or stopping"] },
    ]);
    ready = true;
    expect((await send("/readyz")).status).toBe(200);
  });

  test("every answer forbids caching, sniffing and framing", async () => {
    for (const path of ["/healthz", "/nope", "/graphql?query=%7Bpipeline%7Bname%7D%7D"]) {
      expect((await send(path)).headers).toMatchObject({
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
    }
  });

  test("a busy port is an error that says so and what to do", async () => {
    const other = serverOf();
    const port = Number(new URL(url).port);
    const failure = await other.listen("127.0.0.1", port).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("PORT_IN_USE");
    expect(String(failure)).toMatch(/port \d+ of 127.0.0.1 is in use: .*--port/);
    await other.close();
  });

  test("an address that is not ours is an error of the settings", async () => {
    const other = serverOf();
    const failure = await other.listen("192.0.2.1", 0).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("SETTINGS_INVALID");
    await other.close();
  });

  test("draining lets idle connections go, and closing cuts the rest", async () => {
    const other = serverOf();
    const { port } = new URL((await other.listen("127.0.0.1", 0)).url);
    const idle = connect(Number(port), "127.0.0.1");
    await once(idle, "connect");
    idle.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(idle, "data");
    const gone = once(idle, "close");
    await other.drain();
    await gone;
    await other.close();
    await other.close();
  });
});

describe("GraphiQL", () => {
  const page = { headers: { accept: "text/html,application/xhtml+xml" } };

  test("is where / leads", async () => {
    const { status, headers } = await send("/", page);
    expect([status, headers.location]).toEqual([302, "/graphql"]);
  });

  test("asks nobody but this server, and runs no script of the page itself", async () => {
    const { headers, body } = await send("/graphql", page);
    const html = body.toString();
    expect(html).not.toMatch(/https?:|<script>|<style|onload/);
    expect(headers["content-security-policy"]).toContain("script-src 'self';");
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(files).toHaveLength(5);
    for (const path of files) {
      const file = await send(path, { headers: { "accept-encoding": "gzip, br" } });
      expect([path, file.status, file.headers["content-encoding"]]).toEqual([path, 200, "gzip"]);
      expect(file.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      expect(gunzipSync(file.body).length).toBeGreaterThan(100);
    }
  });

  test("serves its workers by name, and its files to those who cannot unpack as well", async () => {
    const html = (await send("/graphql", page)).body.toString();
    const environment = /\/graphiql\/environment-[^"]+/.exec(html)?.[0] ?? "";
    const script = (await send(environment)).body.toString();
    const workers = [...script.matchAll(/\/graphiql\/\w+-worker-[\w-]+\.js/g)].map(([path]) => path);
    expect(workers).toHaveLength(3);
    for (const path of workers) {
      const { status, headers, body } = await send(path);
      expect([status, headers["content-encoding"], headers["content-type"]]).toEqual([
        200,
        undefined,
        "text/javascript; charset=utf-8",
      ]);
      expect(body.length).toBeGreaterThan(100_000);
    }
  });

  test("a path that is none names those that are", async () => {
    const metrics = async () => ({ contentType: "text/plain", text: "" });
    const counted = serverOf({ status: { reasons: () => [], metrics } });
    const { url: at } = await counted.listen("127.0.0.1", 0);
    const none = await fetch(`${at}/nothing`);
    expect(none.status).toBe(404);
    const { errors } = (await none.json()) as { errors: readonly { readonly message: string }[] };
    expect(errors[0]?.message).toBe("There are /graphql, /healthz, /readyz, /metrics.");
    await counted.close();
  });

  test("is not there when it is switched off", async () => {
    const off = serverOf({ graphiql: false });
    const { url: at } = await off.listen("127.0.0.1", 0);
    expect((await fetch(`${at}/`, page)).status).toBe(404);
    expect((await fetch(`${at}/graphql`, page)).status).toBe(406);
    await off.close();
  });
});
