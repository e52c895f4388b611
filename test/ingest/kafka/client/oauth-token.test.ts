import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { codeOf } from "../../../../src/errors.ts";
import { clientCredentials } from "../../../../src/ingest/kafka/client/oauth-token.ts";

const login = { clientId: "me:too", clientSecret: "hunter 2" };
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** A server of tokens that answers the same to everybody. */
async function tokens(status: number, body: string, asked: IncomingMessage[] = []): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(status).end(body);
  }).listen(0, "127.0.0.1");
  closing.push(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

describe("client credentials", () => {
  test("a token is asked for with the encoded client id and secret", async () => {
    const asked: IncomingMessage[] = [];
    const url = await tokens(200, '{"access_token":"abc","expires_in":60}', asked);
    expect(await clientCredentials({ url, ...login })()).toBe("abc");
    const expected = Buffer.from("me%3Atoo:hunter%202").toString("base64");
    expect(asked[0]?.headers.authorization).toBe(`Basic ${expected}`);
  });

  test.each([
    [401, '{"error":"hunter 2"}'],
    [200, "hunter 2"],
    [200, '{"access_token":2}'],
  ])("an answer without a token (%i %s) is an outage that repeats nothing of it", async (status, body) => {
    const url = await tokens(status, body);
    const fault = await clientCredentials({ url, ...login })().catch((error: unknown) => error);
    expect(codeOf(fault)).toBe("SOURCE_UNAVAILABLE");
    expect(String(fault)).not.toContain("hunter");
  });
});
