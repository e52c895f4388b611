// Loaded into a process that is measured (`--import`): SIGUSR2 begins a CPU profile, and the next one ends it and writes it to PROFILE_FILE.
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const file = process.env.PROFILE_FILE;
let session = null;

async function begin() {
  const begun = new Session();
  begun.connect();
  await begun.post("Profiler.enable");
  await begun.post("Profiler.setSamplingInterval", { interval: 500 });
  await begun.post("Profiler.start");
  return begun;
}

async function end(begun) {
  const { profile } = await begun.post("Profiler.stop");
  begun.disconnect();
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}

process.on("SIGUSR2", () => {
  const begun = session;
  session = begun === null ? begin() : null;
  if (begun !== null) void begun.then(end);
});
