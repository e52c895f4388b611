import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { silentLog } from "../../../src/log.ts";
import { buildSchema } from "../../../src/schema/schema.ts";
import { LIMITS } from "../../../src/server/limits.ts";
import { createMask } from "../../../src/server/masking.ts";
import { createQueries } from "../../../src/server/writing/queries.ts";
import { createExecution } from "../../../src/server/shared-execution.ts";
import { createAnswer } from "../../../src/server/yoga.ts";
import type { Answer } from "../../../src/server/yoga.ts";
import { bank, bankContext } from "../../resolvers/bank.ts";

const PATH = "/graphql";
const schema = buildSchema(bank);
const context = bankContext(30);
const shared = { schema, contextFor: () => context, mask: createMask(silentLog) };
const theirs: Answer = createAnswer({ ...shared, path: PATH });
let handedOn = 0;
const ours: Answer = createQueries({
  execution: createExecution(shared),
  path: PATH,
  otherwise: (asked, response) => {
    handedOn += 1;
    return theirs(asked, response);
  },
});

function serverOf(answer: Answer): Server {
  return createServer((asked, response) => void answer(asked, response));
}

const servers = [serverOf(ours), serverOf(theirs)] as const;

beforeAll(async () => {
  await context.hub.start();
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await context.hub.close();
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Status line, headers but for the time, and body. */
async function answered(server: Server, { path = PATH, method = "POST", headers = {}, body }: Sent) {
  const { port } = server.address() as AddressInfo;
  const sent = request({
    port,
    host: "127.0.0.1",
    path,
    method,
    agent: false,
    headers: { ...JSON_TYPE, ...headers },
  });
  sent.on("error", () => {});
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { date, ...rest } = response.headers;
  expect(date).toBeDefined();
  const text = Buffer.concat(chunks).toString();
  // Ids of faults in the log are drawn anew.
  return {
    status: response.statusCode,
    words: response.statusMessage,
    headers: rest,
    text: text.replace(/[\da-f-]{36}/g, "id"),
  };
}

const JSON_TYPE = { "content-type": "application/json" };
const FIELDS =
  "customerId revision freshness { source applied } metrics { spendTotal } register { fullName tags extra }";
const json = (query: string, rest: object = {}) => JSON.stringify({ query, ...rest });
const LIST = json(`{ customers(first: 20) { nodes { ${FIELDS} } totalCount pageInfo { endCursor } } }`);
const ONE = json(`query One($id: ID!) { customer(customerId: $id) { ${FIELDS} } }`, {
  variables: { id: "003" },
});
const TWO = (more: object) => json("query A { __typename } query B { segments { key } }", more);

const USUAL: readonly (readonly [string, Sent])[] = [
  ["a list", { body: LIST }],
  ["one with variables", { body: ONE }],
  ["the same again", { body: ONE }],
  ["a charset", { body: ONE, headers: { "content-type": "application/json; charset=utf-8" } }],
  ["anything accepted", { body: ONE, headers: { accept: "*/*" } }],
  ["JSON accepted", { body: ONE, headers: { accept: "application/json" } }],
  ["a response type accepted", { body: ONE, headers: { accept: "application/graphql-response+json" } }],
  [
    "the one before the other",
    { body: ONE, headers: { accept: "application/graphql-response+json, application/json" } },
  ],
  [
    "the other before the one",
    { body: ONE, headers: { accept: "application/json, application/graphql-response+json" } },
  ],
  [
    "the same without a space",
    { body: ONE, headers: { accept: "application/graphql-response+json,application/json" } },
  ],
  ["a named operation of two", { body: TWO({ operationName: "B" }) }],
  ["null for what is not given", { body: json("{ __typename }", { variables: null, operationName: null }) }],
  ["a variable too many", { body: json("{ segments { key } }", { variables: { x: 1 } }) }],
  ["letters of all kinds", { body: json('{ customer(customerId: "Łódź 😀") { revision } }') }],
  ["a client that closes", { body: ONE, headers: { connection: "close" } }],
  ["a client that stays", { body: ONE, headers: { connection: "keep-alive" } }],
];

const UNUSUAL: readonly (readonly [string, Sent])[] = [
  ["a query in the address", { method: "GET", path: `${PATH}?query=%7B__typename%7D` }],
  ["another address", { body: ONE, path: `${PATH}?x=1` }],
  ["another method", { body: ONE, method: "PUT" }],
  ["a body without length", { body: ONE, headers: { "transfer-encoding": "chunked" } }],
  ["no body", { body: "" }],
  ["another content type", { body: "{ __typename }", headers: { "content-type": "application/graphql" } }],
  ["another charset", { body: ONE, headers: { "content-type": "application/json; charset=latin1" } }],
  ["a list of content types", { body: ONE, headers: { "content-type": "application/json, text/plain" } }],
  ["a list that is accepted", { body: ONE, headers: { accept: "text/html, application/json;q=0.9" } }],
  ["nothing acceptable", { body: ONE, headers: { accept: "image/png" } }],
  ["another charset accepted", { body: ONE, headers: { accept: "application/json; charset=latin1" } }],
  ["no JSON", { body: "{" }],
  ["JSON with a byte order mark", { body: `\ufeff${ONE}` }],
  ["no UTF-8", { body: Buffer.from([0x7b, 0xff, 0x7d]) }],
  ["a list", { body: `[${ONE}]` }],
  ["nothing in JSON", { body: "null" }],
  ["a text", { body: '"text"' }],
  ["no query", { body: "{}" }],
  ["a number as query", { body: '{"query":1}' }],
  ["an unknown parameter", { body: json("{ __typename }", { id: 1 }) }],
  ["an odd parameter", { body: '{"query":"{ __typename }","__proto__":{"x":1}}' }],
  ["extensions", { body: json("{ __typename }", { extensions: {} }) }],
  ["a list of variables", { body: json("{ __typename }", { variables: [] }) }],
  ["a number as variables", { body: json("{ __typename }", { variables: 1 }) }],
  ["an empty name", { body: json("{ __typename }", { operationName: "" }) }],
  ["a number as name", { body: json("{ __typename }", { operationName: 1 }) }],
  ["no name for two", { body: TWO({}) }],
  ["a name of none", { body: TWO({ operationName: "C" }) }],
  ["a syntax error", { body: json("{") }],
  ["an unknown field", { body: json("{ nothing }") }],
  ["an unknown field, once more", { body: json("{ nothing }") }],
  [
    "too deep",
    {
      body: json(
        `{ customer(customerId: "1") { segments { ${"customer { segments { ".repeat(11)} key ${"} }".repeat(11)} } } }`,
      ),
    },
  ],
  ["too many tokens", { body: json(`{ ${"__typename ".repeat(2_100)} }`) }],
  ["a variable missing", { body: json("query ($id: ID!) { customer(customerId: $id) { revision } }") }],
  [
    "a variable of another type",
    { body: json("query ($n: Int!) { customers(first: $n) { totalCount } }", { variables: { n: "x" } }) },
  ],
  ["a resolver's refusal", { body: json('{ segment(key: "none") { key } }') }],
  [
    "a refusal as another type",
    {
      body: json('{ segment(key: "none") { key } }'),
      headers: { accept: "application/graphql-response+json" },
    },
  ],
  ["a subscription", { body: json('subscription { customerUpdates(customerId: "1") { __typename } }') }],
  ["introspection", { body: json("{ __schema { queryType { name } } }") }],
];

it.each([...USUAL.map((each) => [...each, 0] as const), ...UNUSUAL.map((each) => [...each, 1] as const)])(
  "answers %s as graphql-yoga does: bytes, status and headers",
  async (_, sent, times) => {
    handedOn = 0;
    const [mine, yogas] = [await answered(servers[0], sent), await answered(servers[1], sent)];
    expect(mine).toEqual(yogas);
    expect(handedOn).toBe(times);
  },
);

it("a body that comes in pieces, and requests one behind the other, are answered in order", async () => {
  const socket = connect((servers[0].address() as AddressInfo).port, "127.0.0.1");
  let heard = "";
  socket.on("data", (part) => (heard += String(part)));
  const bytes = Buffer.from(json('{ customer(customerId: "ü") { revision } a: __typename }'));
  const head = (length: number) =>
    `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  socket.write(head(bytes.length));
  const cut = bytes.indexOf("ü") + 1;
  socket.write(bytes.subarray(0, cut));
  await new Promise((resolve) => setImmediate(resolve));
  const bad = json("{ nothing }");
  socket.write(
    Buffer.concat([
      bytes.subarray(cut),
      Buffer.from(head(bad.length) + bad),
      Buffer.from(head(bytes.length)),
      bytes,
    ]),
  );
  while (heard.split('"a":"Query"').length < 3) await once(socket, "data");
  socket.destroy();
  expect(heard.indexOf("GRAPHQL_VALIDATION_FAILED")).toBeGreaterThan(heard.indexOf('"a":"Query"'));
});

it("a client that leaves in the middle of its body leaves nothing behind, and the limit of a body holds", async () => {
  const { port } = servers[0].address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  await once(servers[0], "request");
  socket.destroy();
  const large = { body: json("{ __typename }", { variables: { x: "x".repeat(LIMITS.maxBodyBytes) } }) };
  expect(await answered(servers[0], large)).toEqual(await answered(servers[1], large));
});
