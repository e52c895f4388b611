import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createProbes, pathOf, type Status } from "../../src/server/probes.ts";
import { ROOT } from "./compose-file.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The instructions of the Dockerfile, continued lines joined, by stage. */
const stages = read("Dockerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, "")
  .split(/^(?=FROM )/m)
  .map((stage) => stage.split(/\n(?=[A-Z])/).map((line) => line.trim().replaceAll(/\s*\n\s*/g, " ")));
const last = stages.at(-1) ?? [];
const instruction = (name: string) => last.find((line) => line.startsWith(`${name} `)) ?? "";

/** Sources and target of a COPY out of the repository. */
const copies = stages
  .flat()
  .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
  .flatMap((line) => line.split(" ").slice(1, -1));

describe("the image", () => {
  test("it is built on one pinned Node that this package supports, and keeps no development dependency", () => {
    const images = stages.map(([from = ""]) => from.split(" ")[1]);
    expect(new Set(images)).toEqual(new Set(["node:20.20.2-slim"]));
    const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
    expect(engines.node).toBe(">=20.19.0");
    expect(last.join("\n")).toContain("npm ci --omit=dev");
    expect(last.join("\n")).not.toContain("npm run");
  });

  test("it runs as somebody who is not root, and as the command that is documented", () => {
    expect(last.filter((line) => line.startsWith("USER "))).toEqual(["USER node"]);
    expect(instruction("ENTRYPOINT")).toBe('ENTRYPOINT ["node", "dist/main.js"]');
    const { bin } = JSON.parse(read("package.json")) as { bin: { customer360: string } };
    expect(instruction("ENTRYPOINT")).toContain(bin.customer360);
  });

  test("what is copied exists, and .dockerignore lets through that and nothing else", () => {
    for (const path of copies) expect(existsSync(join(ROOT, path)), path).toBe(true);
    const rules = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(rules[0]).toBe("*");
    const allowed = rules.slice(1).map((line) => line.replace(/^!/, ""));
    expect([...new Set(copies)].sort()).toEqual(allowed.sort());
  });

  test("what the build reads of the repository is copied", () => {
    expect(copies).toEqual(
      expect.arrayContaining(["src", "scripts/build.mjs", "tsconfig.json", "tsconfig.build.json"]),
    );
    expect(read("package.json")).toContain('"build": "node scripts/build.mjs"');
    // dist/main.js finds its version and the pipeline of the demo beside itself.
    expect(last.join("\n")).toMatch(/COPY package\.json .*\n[^]*COPY pipelines pipelines/);
  });
});

describe("its health check", () => {
  const closing: (() => void)[] = [];
  afterEach(() => closing.splice(0).forEach((close) => close()));

  /** A process that answers as ours do. */
  async function answering(status: Status): Promise<number> {
    const probes = createProbes(status);
    const server = createServer((request, response) => {
      void probes.answer(pathOf(request), response);
    }).listen(0, "127.0.0.1");
    closing.push(() => server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }
  const [command = "", ...args] = JSON.parse(instruction("HEALTHCHECK").split("CMD ")[1] ?? "[]") as string[];
  async function check(port: number): Promise<unknown> {
    const child = spawn(command, args, { env: { PATH: process.env["PATH"], PORT: String(port) } });
    const [code] = (await once(child, "close")) as [unknown];
    return code;
  }

  test("a process that catches up is healthy, one that answers nothing is not", async () => {
    const port = await answering({ reasons: () => ["catching up"] });
    expect(await check(port)).toBe(0);
    closing.splice(0).forEach((close) => close());
    expect(await check(port)).toBe(1);
  });

  test("it is run without a shell", () => {
    expect(command).toBe("node");
    expect(spawnSync(command, ["--check", "-"], { input: args[1] }).status).toBe(0);
  });
});
