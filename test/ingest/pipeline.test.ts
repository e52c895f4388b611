import { expect, test } from "vitest";
import { documents, ingest, line, record } from "./world.ts";

test("changes become documents, and each saved revision with something to tell is published once", async () => {
  const { store, updates } = await ingest([
    record({ table: "profile", op: "c", lsn: 1, row: { customer_id: "ann", tickets: 3 } }, 0),
    record({ table: "profile", op: "u", lsn: 2, row: { customer_id: "ann", tickets: 7 } }, 1),
    record(
      {
        table: "payments",
        op: "c",
        lsn: 3,
        row: { id: 1, customer_id: "ann", amount: 40, posted_on: 19723, note: "a" },
      },
      0,
    ),
    line("ann", 10, 0),
  ]);
  const ann = store.documents.get("ann");
  expect(ann?.metrics).toMatchObject({ mostTickets: 7, spent: 40, largest: 40, booked: 10 });
  expect(ann?.offers.fan?.state).toBe("TRIGGERED");
  expect(updates.entries.map(({ update }) => [update.customerId, update.revision])).toEqual([["ann", 1]]);
  expect(Object.keys(documents({ store }))).toEqual(["ann"]);
  expect(Object.fromEntries(store.tallies)).toEqual({
    "profile verdict applied": 2,
    "payments verdict applied": 1,
    "ledger verdict applied": 1,
  });
});
