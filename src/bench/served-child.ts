import { randomBytes } from "node:crypto";
import type { SourceRecord } from "../cdc/change.ts";
import { systemClock } from "../clock.ts";
import type { Customer, Update } from "../customer/customer.ts";
import { createPipeline } from "../ingest/pipeline.ts";
import { silentLog } from "../log.ts";
import { noMetrics } from "../metrics.ts";
import { loadPlan } from "../plan/load.ts";
import { createCursors } from "../resolvers/frames/cursor.ts";
import { buildSchema } from "../schema/schema.ts";
import { createServer } from "../server/http.ts";
import { createHub } from "../updates/hub.ts";
import type { Hub } from "../updates/hub.ts";
import type { Updates } from "../updates/updates.ts";
import { arraySource } from "./array-source.ts";
import type { ArraySource } from "./array-source.ts";
import { arrayUpdates } from "./array-updates.ts";
import { ingestDurably, openDurable } from "./durable.ts";
import type { DurableParts } from "./durable.ts";
import { BENCH_PIPELINE, customerRecords, notedProfile } from "./records.ts";
import { answerParent } from "./remote.ts";
import { PER_TURN, STAMP } from "./served-protocol.ts";
import type { ServedProtocol } from "./served-protocol.ts";

/** The product with embedded adapters, as `src/app.ts` puts it together, and hands on its parts. */
interface Product {
  readonly parts: DurableParts;
  readonly updates: Updates;
  readonly hub: Hub;
  readonly source: ArraySource;
  readonly customers: number;
}

const plan = loadPlan(BENCH_PIPELINE, "bench.yaml");
const documents = new Map<string, Customer>();
let product: Product | null = null;
/** Above the positions of all records made before. */
let position = 1_000_000;

function running(): Product {
  if (product === null) throw new Error("nothing is served yet");
  return product;
}

async function serve({ customers, durable }: ServedProtocol["serve"]["ask"]): Promise<number> {
  const parts = openDurable(plan);
  const updates = durable ? parts.updates : arrayUpdates();
  const { store } = parts;
  await ingestDurably({ store, updates }, { plan, records: customerRecords(customers) });
  const hub = createHub({ updates, clock: systemClock, log: silentLog });
  const cursors = createCursors(randomBytes(32));
  const source = arraySource([], 1_000);
  const shared = { plan, clock: systemClock, log: silentLog, metrics: noMetrics };
  const server = createServer({
    schema: buildSchema(plan),
    contextFor: (viewer) => ({ viewer, ...shared, reads: store, hub, cursors, ingest: null }),
    graphiql: false,
    origins: [],
    status: { reasons: () => [] },
    log: silentLog,
  });
  await hub.start();
  const { url } = await server.listen("127.0.0.1", 0);
  product = { parts, updates, hub, source, customers };
  // Runs for as long as the process does; a failure ends the process, and with it the measure.
  void createPipeline({ ...shared, source, store, updates }).run(new AbortController().signal);
  return Number(new URL(url).port);
}

/** The next revision of a customer, another note in its profile; made without the path of a change. */
async function nextUpdate(customerId: string): Promise<Update> {
  const known = documents.get(customerId) ?? (await running().parts.store.customers([customerId]))[0];
  if (known === undefined || known === null) throw new Error(`no customer ${customerId}`);
  const [[key, row] = []] = Object.entries(known.tables["profiles"] ?? {});
  if (key === undefined || row === undefined) throw new Error(`no profile of ${customerId}`);
  const revision = known.revision + 1;
  const values = { ...row.values, note: `the note of revision ${String(revision).padStart(6, "0")}` };
  const customer = {
    ...known,
    revision,
    tables: { ...known.tables, profiles: { [key]: { ...row, values } } },
  };
  documents.set(customerId, customer);
  const { freshness } = customer;
  return { customerId, revision, changed: ["profiles"], segments: [], offers: [], freshness, customer };
}

/** Updates made and not published yet: the list of each time. */
const prepared: Update[][] = [];

async function prepare({ customers, times }: ServedProtocol["prepare"]["ask"]): Promise<null> {
  for (let time = 0; time < times; time += 1) {
    const updates: Update[] = [];
    for (const customerId of customers) updates.push(await nextUpdate(customerId));
    prepared.push(updates);
  }
  return null;
}

async function publish(): Promise<null> {
  const updates = prepared.shift();
  if (updates === undefined) throw new Error("nothing was prepared");
  for (let start = 0; start < updates.length; start += PER_TURN) {
    await running().updates.publish(updates.slice(start, start + PER_TURN));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return null;
}

function stamped(customer: number, stampUs: number): SourceRecord {
  position += 1;
  return notedProfile(customer, position, `${STAMP.before}${stampUs}${STAMP.after}`);
}

async function capacity(): Promise<number> {
  const { parts, updates, customers } = running();
  const records = Array.from({ length: 10_000 }, (_, index) => stamped(1 + (index % customers), 0));
  const start = process.hrtime.bigint();
  await ingestDurably({ store: parts.store, updates }, { plan, records });
  return records.length / (Number(process.hrtime.bigint() - start) / 1e9);
}

answerParent<ServedProtocol>(
  {
    serve,
    subscriptions: () => running().hub.size(),
    prepare,
    publish,
    capacity,
    push({ customers, stampUs }) {
      running().source.push(customers.map((customer) => stamped(customer, stampUs)));
      return null;
    },
  },
  async () => product?.parts.close(),
);
