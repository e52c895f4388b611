import { describe, expect, test } from "vitest";
import { readSecrets } from "../src/config.ts";
import { Customer360Error } from "../src/errors.ts";
import { jsonLog } from "../src/json-log.ts";
import { atLeast, lineLog, reported, type Log } from "../src/log.ts";
import { createRedactor } from "../src/redact.ts";

function written(make: (write: (line: string) => void) => Log, use: (log: Log) => void): string {
  let text = "";
  use(make((line) => (text += line)));
  return text;
}

const formats: readonly (readonly [string, (write: (line: string) => void) => Log])[] = [
  ["lines", (write) => lineLog(write, () => new Date(0))],
  ["json", (write) => jsonLog(write, { role: "api" })],
];

describe.each(formats)("a log in %s", (_format, make) => {
  test("one report is one line, whatever its words hold, and nothing in it steers a terminal", () => {
    const nasty = "a\nb\r\u001b[2J\u009b1m\u2028c";
    const text = written(make, (log) => log.warn(nasty, { nasty, nested: { nasty } }));
    expect(text.endsWith("\n")).toBe(true);
    const controls = text
      .slice(0, -1)
      .split("")
      .filter((character) => {
        const code = character.codePointAt(0) ?? 0;
        return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028;
      });
    expect(controls).toEqual([]);
    expect(text).toContain("\\u009b1m");
  });

  test("what matters less than wanted is left out", () => {
    const text = written(
      (write) => atLeast("warn", make(write)),
      (log) => {
        log.info("quiet");
        log.warn("loud");
        log.error("louder");
      },
    );
    expect(text).not.toContain("quiet");
    expect(text.trim().split("\n")).toHaveLength(2);
  });
});

test("a line of JSON has time, level, message, facts, and what is the same in every line", () => {
  const text = written(
    (write) => jsonLog(write, { role: "api" }),
    (log) => log.error("it\nfailed", { reason: "why", count: 3 }),
  );
  expect(JSON.parse(text)).toEqual({
    ...{ level: "error", time: expect.stringMatching(/^\d{4}-.*Z$/), role: "api" },
    ...{ message: "it\nfailed", reason: "why", count: 3 },
  });
});

describe("secrets", () => {
  test("neither the given ones nor any password of an address is printed, however it is written", () => {
    const environment = {
      CURSOR_SECRET: 'quoted"secret-of-32-characters-and-more',
      MONGODB_URI: "mongodb://joe:pa%2Fss%20word@db/bank",
      KAFKA_PASSWORD: "hunter2",
    };
    const redact = createRedactor(readSecrets(environment));
    const message = [
      ...Object.values(environment),
      JSON.stringify(environment.CURSOR_SECRET),
      "authentication of joe with pa/ss word failed",
      "redis://other:p@ss@host and https://user@host",
    ].join("\n");
    const shown = redact(message);
    for (const secret of ["quoted", "pa%2F", "pa/ss", "hunter2", "other", "user", "p@ss"])
      expect(shown).not.toContain(secret);
    expect(shown).toContain("with *** failed");
  });

  test("an empty environment hides nothing", () => {
    expect(createRedactor(readSecrets({}))("http://host/path plain")).toBe("http://host/path plain");
  });
});

describe("a reported error", () => {
  test("has its words, with its code or its place", () => {
    const known = reported(new Customer360Error("STORE_UNAVAILABLE", "the disk is full"));
    expect(known).toEqual({ error: "STORE_UNAVAILABLE: the disk is full" });
    const bug = reported(new TypeError("x is not a function"));
    expect(bug).toMatchObject({ error: "TypeError: x is not a function" });
    expect(String(bug["at"])).toContain("log.test.ts");
  });

  test("has no words that quote what was read", () => {
    const error: unknown = (() => {
      try {
        return JSON.parse('{"name": Jane Doe}');
      } catch (caught) {
        return caught;
      }
    })();
    expect(String(error)).toContain("Jane");
    expect(JSON.stringify(reported(error))).not.toContain("Jane");
    expect(JSON.stringify(reported("Jane Doe"))).not.toContain("Jane");
  });
});
