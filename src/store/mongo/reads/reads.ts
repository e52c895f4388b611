import { NOBODY } from "../../../customer/customer.ts";
import type { Plan } from "../../../customer/plan.ts";
import type { FindFact } from "../../facts.ts";
import { pagedTables } from "../../placed-tables.ts";
import type { Reads } from "../../reads.ts";
import type { Mongo } from "../client.ts";
import type { StoredCustomer } from "../documents/documents.ts";
import { orderedText, originalOf } from "../documents/names.ts";
import type { MongoLedger } from "../ledger.ts";
import type { MongoQuarantine } from "../quarantine.ts";
import { indexesFor, listCustomers } from "./customers.ts";
import { mongoFilter } from "./filter.ts";
import { countMembers, membersIndex } from "./members.ts";
import { listOffers } from "./offers.ts";
import { READ, readableOf } from "./read-documents.ts";
import { listRows } from "./rows.ts";
import type { Wishes } from "./wishes.ts";

/** What the reads are made of. */
export interface ReadParts {
  readonly mongo: Mongo;
  readonly plan: Plan;
  readonly find: FindFact;
  readonly ledger: MongoLedger;
  readonly quarantine: MongoQuarantine;
  /** Asked for an index when a field is first filtered or ordered by, so that ingest keeps up only those that somebody uses. */
  readonly wishes: Wishes;
}

/** The API's queries, by the read preference of the address. Each is bounded by `first` and goes along an index. */
export function mongoReads({ mongo, plan, find, ledger, quarantine, wishes }: ReadParts): Reads {
  const customers = mongo.readable("customers");
  const pages = mongo.readable("pages");
  const paged = pagedTables(plan);
  const segments = plan.segments.map(({ name }) => name);
  return {
    customers: async (ids) => {
      const wanted = [...new Set(ids)].filter((id) => id !== NOBODY).map(orderedText);
      if (wanted.length === 0) return ids.map(() => null);
      const documents = await customers.find<StoredCustomer>({
        filter: { _id: { $in: wanted } },
        fields: READ,
      });
      const found = new Map(documents.map((each) => [originalOf(each._id), readableOf(each)]));
      return ids.map((id) => found.get(id) ?? null);
    },
    listCustomers: async (query) => {
      wishes.add(indexesFor(find, query));
      return listCustomers(customers, find, query);
    },
    countCustomers: async (filter) =>
      customers.count({ listed: true, $and: [mongoFilter(filter, find).match] }),
    listRows: (query) => listRows({ customers, pages }, paged.has(query.table), query),
    listOffers: (query) => listOffers(customers, query),
    listQuarantine: quarantine.list,
    counts: async () => {
      wishes.add([membersIndex(segments)]);
      const [membership, tallies, quarantined] = await Promise.all([
        countMembers(customers, segments),
        ledger.tallies(),
        quarantine.count(),
      ]);
      return { ...membership, tallies, quarantined };
    },
  };
}
