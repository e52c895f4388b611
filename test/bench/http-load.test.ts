import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { bodyOf, HttpLoad } from "../../src/bench/http-load.ts";

async function loading(answer: (count: number) => { status: number; text: string }, expected: string | null) {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      count += 1;
      const { status, text } = answer(count);
      response.writeHead(status, { "content-length": Buffer.byteLength(text) }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const bytes = expected === null ? null : Buffer.from(expected);
  const load = new HttpLoad({ port, path: "/x", body: "{}", expected: bytes });
  return { load, count: () => count, cut: () => server.closeAllConnections(), close: () => server.close() };
}

describe("the load of requests", () => {
  test("sends exactly so many requests and keeps the answer", async () => {
    const { load, count, close } = await loading(() => ({ status: 200, text: "ä".repeat(50_000) }), null);
    expect(await load.run(40)).toBe(40);
    expect(count()).toBe(40);
    expect(load.answer.toString()).toBe("ä".repeat(50_000));
    close();
  });

  test("a server that closes idle connections between two runs is no matter", async () => {
    const { load, count, cut, close } = await loading(() => ({ status: 200, text: "a" }), "a");
    await load.run(20);
    cut();
    await load.run(20);
    expect(count()).toBe(40);
    close();
  });

  test("one answer with other bytes fails the run", async () => {
    const { load, close } = await loading((nth) => ({ status: 200, text: nth === 30 ? "b" : "a" }), "a");
    await expect(load.run(40)).rejects.toThrow("another answer: b");
    close();
  });

  test("an answer that is no 200 fails the run", async () => {
    const { load, close } = await loading(() => ({ status: 500, text: "a" }), "a");
    await expect(load.run(40)).rejects.toThrow("500");
    close();
  });

  test("a body is read once it is all there", () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    for (let end = 0; end < answer.length; end += 1)
      expect(bodyOf(Buffer.from(answer.slice(0, end)))).toBeNull();
    expect(bodyOf(Buffer.from(answer))?.toString()).toBe("abc");
  });
});
