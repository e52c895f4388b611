import { NOBODY } from "../../customer/customer.ts";
import type { Log } from "../../log.ts";
import type { FactGroup } from "../facts.ts";
import type { Mongo } from "./client.ts";
import { customerOf, LOADED, type StoredCustomer } from "./documents/documents.ts";
import { factsIn } from "./documents/facts.ts";
import { readMeta, writeMeta } from "./meta.ts";

/** Customers whose facts are made at once; fewer while others keep saving them. */
const STEP = 500;
/** How often it says how far it is, customers. */
const TELL_EVERY = 50_000;

/**
 * Makes the facts of every customer anew when the pipeline declares others than those stored. Each is written only on the
 * revision it was made from; whoever was saved meanwhile is made again.
 */
export async function remakeFacts(mongo: Mongo, groups: readonly FactGroup[], log: Log): Promise<void> {
  const [customers, meta] = [mongo.collection("customers"), mongo.collection("meta")];
  const wanted = JSON.stringify(groups.map(({ facts }) => facts.map(({ name, as }) => [name, as])));
  if ((await readMeta(meta, "facts")) === wanted) return;
  let last: string = NOBODY;
  let step = STEP;
  for (let done = 0; ;) {
    const filter = { _id: { $gt: last } };
    const found = await customers.find<StoredCustomer>({
      filter,
      sort: { _id: 1 },
      limit: step,
      fields: LOADED,
    });
    const { matched } = await customers.write(
      found.map((each) => ({
        filter: { _id: each._id, revision: each.revision },
        update: { $set: { facts: factsIn(groups, customerOf(each)) } },
      })),
    );
    if (matched < found.length) {
      step = Math.ceil(step / 4);
      continue;
    }
    if (found.length < step) break;
    step = Math.min(STEP, step * 2);
    last = found.at(-1)?._id ?? last;
    done += found.length;
    if (done % TELL_EVERY < STEP) log.info("preparing customers for other filters", { customers: done });
  }
  await writeMeta(meta, "facts", wanted);
}
