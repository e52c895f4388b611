import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { answerParent } from "./remote.ts";
import { PER_TURN } from "./served-protocol.ts";
import type { RawProtocol } from "./served-protocol.ts";

/** The least that node:http and ws can do: what the product is measured against. */
const answers = new Map<string, unknown>();
const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => (body += part));
  request.on("end", () => {
    const asked: unknown = JSON.parse(body);
    const text = JSON.stringify(answers.get(request.url ?? ""));
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.setHeader("content-length", Buffer.byteLength(text));
    response.statusCode = asked === null ? 400 : 200;
    response.end(text);
  });
});
const door = new WebSocketServer({ server, perMessageDeflate: false });
const TEXT = { binary: false } as const;

answerParent<RawProtocol>({
  async serve(texts) {
    for (const [path, text] of Object.entries(texts)) answers.set(path, JSON.parse(text));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  },
  broadcast(text) {
    const bytes = Buffer.from(text);
    for (const socket of door.clients) socket.send(bytes, TEXT);
    return null;
  },
  async unicast(text) {
    const bytes = Buffer.from(text);
    let sent = 0;
    for (const socket of door.clients) {
      socket.send(bytes, TEXT);
      sent += 1;
      if (sent % PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return null;
  },
  sockets: () => door.clients.size,
});
