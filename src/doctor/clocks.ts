import type { Clock } from "../clock.ts";
import type { Report } from "./report.ts";

/** Clocks further apart than this, milliseconds, are worth a look: lags and expiries are told by them. */
const NOTICEABLE_MS = 2_000;
/** Further apart than this, offers expire and timers fire at visibly wrong times. */
const HARMFUL_MS = 60_000;

const REMEDY = "have both machines keep time by NTP (chronyc tracking, timedatectl)";

/** Holds a server's clock against ours. The answer was given at some time between asking and hearing: the middle is taken. */
export async function compareClocks(
  report: Report,
  clock: Clock,
  ask: () => Promise<number | null>,
): Promise<void> {
  const askedMs = clock.nowMs();
  const serverMs = await ask();
  const heardMs = clock.nowMs();
  if (serverMs === null) return report.ok("clock", "not told by the server");
  const skewMs = Math.round(serverMs - (askedMs + heardMs) / 2);
  const tripMs = heardMs - askedMs;
  const apartMs = Math.max(0, Math.abs(skewMs) - tripMs / 2);
  const found = `${skewMs < 0 ? "behind" : "ahead of"} ours by ${Math.abs(skewMs)} ms (asking took ${tripMs} ms)`;
  if (apartMs > HARMFUL_MS) report.wrong("clock", found, REMEDY);
  else if (apartMs > NOTICEABLE_MS) report.warning("clock", found, REMEDY);
  else report.ok("clock", found);
}
