import type { OfferState } from "../../../customer/customer.ts";
import { readCursor, writeCursor } from "../../list-cursor.ts";
import type { ListedOffer, Listing, OfferQuery } from "../../reads.ts";
import type { MongoCollection } from "../client.ts";
import { fieldName, orderedText, originalOf } from "../documents/names.ts";
import { restored, type Stored } from "../documents/values.ts";

interface Found extends Stored {
  readonly _id: string;
  readonly offered: { readonly o: string; readonly s: string; readonly t: number };
  readonly offers: Stored;
}

/** Offers as they last stood, newest trigger first, ties by customer and offer. */
export async function listOffers(
  customers: MongoCollection,
  query: OfferQuery,
): Promise<Listing<ListedOffer>> {
  const { customerId, offers, states, first, after } = query;
  const [ms, id, offer] = after === null ? [] : readCursor("offers", after, ["number", "text", "text"]);
  const one = {
    ...(offers !== null && { o: { $in: offers.map(orderedText) } }),
    ...(states !== null && { s: { $in: states } }),
    t: ms === undefined ? { $gte: -Infinity } : { $lte: ms },
  };
  const each = Object.fromEntries(Object.entries(one).map(([name, test]) => [`offered.${name}`, test]));
  const beyond = [
    { "offered.t": { $lt: ms } },
    { _id: { $gt: id } },
    { _id: id, "offered.o": { $gt: offer } },
  ];
  const found = await customers.aggregate<Found>([
    {
      $match: { offered: { $elemMatch: one }, ...(customerId !== null && { _id: orderedText(customerId) }) },
    },
    { $project: { offered: 1, offers: 1 } },
    { $unwind: "$offered" },
    { $match: { ...each, ...(ms !== undefined && { $or: beyond }) } },
    { $sort: { "offered.t": -1, _id: 1, "offered.o": 1 } },
    { $limit: first + 1 },
  ]);
  return {
    items: found.slice(0, first).map(({ _id, offered: { o, t }, offers: states }) => ({
      item: {
        customerId: originalOf(_id),
        offer: originalOf(o),
        state: restored(states[fieldName(originalOf(o))]) as OfferState,
      },
      cursor: writeCursor("offers", [t, _id, o]),
    })),
    hasNext: found.length > first,
  };
}
