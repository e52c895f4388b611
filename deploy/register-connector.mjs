// Gives a Kafka Connect worker its connector, and ends once that runs. Safe to repeat: the same settings change nothing.
//
//   node register-connector.mjs http://connect:8083 bank connector.json
//
// A worker that does not answer yet, or is rebalancing, is asked again every second for five minutes; settings that it refuses
// and a connector that fails end this with exit code 1.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const ATTEMPTS = 300;
const PAUSE_MS = 1_000;

const [worker, name, file] = process.argv.slice(2);
const connector = `${worker}/connectors/${encodeURIComponent(name)}`;
const config = readFileSync(file, "utf8");

/** The answer to one request; null when there is none, or none that means anything yet. */
async function ask(path, options = {}) {
  try {
    const response = await fetch(`${connector}/${path}`, { ...options, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    return response.status === 404 || response.status === 409 || response.status >= 500
      ? null
      : { ok: response.ok, text };
  } catch {
    return null;
  }
}

/** Asks until `answer` gives something. */
async function until(what, answer) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await answer();
    if (found !== null) return found;
    if (attempt % 10 === 1) process.stderr.write(`waiting for ${worker}: ${what}\n`);
    await pause(PAUSE_MS);
  }
  throw new Error(`gave up waiting for ${worker}: ${what}`);
}

const headers = { "content-type": "application/json" };
const answer = await until("to take the connector", () =>
  ask("config", { method: "PUT", headers, body: config }),
);
if (!answer.ok) throw new Error(`the worker refuses ${file}: ${answer.text}`);

await until("to run the connector", async () => {
  const status = await ask("status");
  if (status === null || !status.ok) return null;
  const { tasks } = JSON.parse(status.text);
  const failed = tasks.find(({ state }) => state === "FAILED");
  if (failed !== undefined) throw new Error(`connector ${name} has failed: ${failed.trace}`);
  return tasks.length > 0 && tasks.every(({ state }) => state === "RUNNING") ? status : null;
});
process.stderr.write(`connector ${name} runs\n`);
