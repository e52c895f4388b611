import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, type App } from "../../src/app.ts";
import { BANKING, readPlan } from "../../src/cli/options.ts";
import { silentLog } from "../../src/log.ts";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const skipped = BROWSER === undefined && process.env["CI"] !== "true";
if (skipped) process.stderr.write("skipped: the GraphiQL tests need Chromium (apt-get install chromium)\n");

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe.skipIf(skipped)("GraphiQL in a browser without a network", () => {
  const directory = mkdtempSync(join(tmpdir(), "graphiql-"));
  const abroad: string[] = [];
  let app: App;
  let url: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    app = await createApp({
      plan: readPlan(BANKING),
      dataDir: directory,
      fresh: true,
      source: { kind: "demo", seed: 1, customers: 20, rate: 50 },
      serve: { host: "127.0.0.1", port: 0, insecure: false, graphiql: true, cursorSecret: null },
      log: silentLog,
    });
    url = (await app.start()) ?? "";
    browser = await chromium.launch({ executablePath: BROWSER ?? "chromium", args: ARGS });
    page = await browser.newPage();
    await page.route("**/*", (route) => {
      if (route.request().url().startsWith(url)) return route.continue();
      abroad.push(route.request().url());
      return route.abort();
    });
    await page.goto(url);
    await page.getByRole("button", { name: /Execute query/ }).waitFor();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  /** Replaces what the query editor holds, and runs it. */
  async function execute(query: string): Promise<void> {
    await page
      .locator(".graphiql-query-editor .monaco-editor, .graphiql-query-editor .cm-editor")
      .first()
      .click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(query);
    // Until it has read what stands there now, GraphiQL would ask for the operation that stood there before.
    const [begin = ""] = query.split('"');
    const kept = () => page.evaluate(() => Object.values(localStorage).join());
    await expect.poll(kept, { timeout: 20_000 }).toContain(begin);
    await page.getByRole("button", { name: /Execute query/ }).click();
  }

  const result = () =>
    page
      .locator("section.result-window, .graphiql-response")
      .first()
      .innerText()
      .then((text) => text.replace(/\s+/g, " "));

  test("the root leads to it, and it asks no other host", () => {
    expect(new URL(page.url()).pathname).toBe("/graphql");
    expect(abroad).toEqual([]);
  });

  test("a query answers", async () => {
    await execute('{ customer(customerId: "1") { customerId metrics { cardPayments } } }');
    await expect.poll(result, { timeout: 20_000 }).toMatch(/"cardPayments": ?\d+/);
  }, 60_000);

  test("a subscription ticks", async () => {
    await execute(
      "subscription { customersUpdates { __typename ... on CustomerChange { revision cursor } } }",
    );
    await expect.poll(result, { timeout: 20_000 }).toContain("CustomerChange");
    const first = await result();
    await expect.poll(result, { timeout: 20_000 }).not.toBe(first);
  }, 60_000);
});
