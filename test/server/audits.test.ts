import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { buildSchema } from "../../src/schema/schema.ts";
import { createServer } from "../../src/server/http.ts";
import { bank, bankContext } from "../resolvers/bank.ts";

const context = bankContext(3);
const server = createServer({
  schema: buildSchema(bank),
  contextFor: () => context,
  graphiql: false,
  origins: [],
  status: { reasons: () => [] },
  log: silentLog,
});
let url = "";

beforeAll(async () => {
  url = `${(await server.listen("127.0.0.1", 0)).url}/graphql`;
});

afterAll(() => server.close());

const audits = serverAudits({ url: () => url, fetchFn: fetch });

test("there are 61 audits of GraphQL over HTTP", () => {
  expect(audits).toHaveLength(61);
});

test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
  "%s %s",
  async (_id, _name, audit) => {
    const result = await audit.fn();
    expect(result.status === "ok" ? "ok" : `${result.status}: ${result.reason}`).toBe("ok");
  },
);
