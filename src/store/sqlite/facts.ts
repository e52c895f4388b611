import type { Customer } from "../../customer/customer.ts";
import { hasLiveRow } from "../../customer/live-rows.ts";
import type { Sqlite, SqlValue } from "../../embedded/database.ts";
import type { FactGroup } from "../facts.ts";
import { storedValue } from "../facts.ts";
import { storedText } from "../stored-text.ts";
import type { Bulk, BulkRows } from "./bulk.ts";
import { bulkInsert } from "./bulk.ts";
import { sqliteMembers } from "./members.ts";

/** Keeps the table `facts` (one row per listed customer, one column per fact) and the member counts in step with documents. */
export interface FactTable {
  /**
   * Brings a customer's facts from its stored version to the next; only changed columns are written, by `settle`.
   * `isListed` tells that a version in between held a live row.
   */
  change(before: Customer, after: Customer, isListed: boolean): void;
  /** Writes the facts and member counts that changed; once per transaction. */
  settle(): void;
  /** Forgets what was not written, when a transaction begins anew. */
  discard(): void;
}

/** Somebody to be listed, or not: with `isListed` whatever the document shows now. */
export interface Listable {
  readonly customer: Customer;
  readonly isListed: boolean;
}

/** Distinct sets of changed columns that get a statement of their own; beyond them all columns are written. */
const MAX_SHAPES = 200;

/** The table of facts, made or remade as the pipeline wants it; `documents` gives everyone when it must be filled. */
export function sqliteFacts(
  db: Sqlite,
  groups: readonly FactGroup[],
  documents: () => Iterable<Listable>,
): FactTable {
  const columns = groups.flatMap(({ facts }) => facts.map(({ column }) => column));
  const segments = groups.flatMap(({ facts }) =>
    facts.flatMap(({ name }) => (name.startsWith("segment:") ? [name.slice("segment:".length)] : [])),
  );
  const members = sqliteMembers(db, segments);
  const insertSql = `INSERT INTO facts (${["id", ...columns].join(", ")}) VALUES (?${", ?".repeat(columns.length)})
    ON CONFLICT DO NOTHING`;
  const shapes = new Map<string, Bulk>();
  const everything = shapeOf(db, columns);
  let rows = new Map<Bulk, BulkRows>();
  const put = (shape: Bulk, values: readonly SqlValue[]): void => {
    const found = rows.get(shape) ?? shape();
    rows.set(shape, found);
    found.add(...values);
  };
  const allValues = (after: Customer): SqlValue[] => [
    storedText(after.customerId),
    ...groups.flatMap((group) => everyValue(group, after)),
  ];
  const shapeWith = (changed: readonly number[]): Bulk => {
    const name = changed.join();
    let shape = shapes.get(name);
    if (shape === undefined && shapes.size < MAX_SHAPES) {
      shape = shapeOf(
        db,
        changed.map((index) => columns[index] ?? ""),
      );
      shapes.set(name, shape);
    }
    return shape ?? everything;
  };
  /** Writes what differs of a customer that is listed, with others at the end of the transaction. */
  const update = (before: Customer, after: Customer): void => {
    const changed: number[] = [];
    const values: SqlValue[] = [storedText(after.customerId)];
    let offset = 0;
    for (const group of groups) {
      collectChanges(group, { before, after, offset, changed, values });
      offset += group.facts.length;
    }
    if (changed.length === 0) return;
    const shape = shapeWith(changed);
    put(shape, shape === everything ? allValues(after) : values);
    members.move(before, after);
  };
  const insert = (after: Customer): boolean => db.prepare(insertSql).runAll(allValues(after)) === 1;
  const isListed = (customer: Customer): boolean =>
    hasLiveRow(customer) ||
    db.prepare("SELECT 1 FROM facts WHERE id = ?").get(storedText(customer.customerId)) !== null;
  prepare(db, groups, (listed) => {
    for (const { customer, isListed: known } of documents()) {
      const wasListed = known || hasLiveRow(customer) || listed.has(storedText(customer.customerId));
      if (wasListed && insert(customer)) members.enter(customer);
    }
    members.settle();
  });
  return {
    change(before, after, isListedSince) {
      if (before.revision > 0 && isListed(before)) return update(before, after);
      if (!isListedSince && !hasLiveRow(after)) return;
      put(everything, allValues(after));
      members.enter(after);
    },
    settle() {
      for (const each of rows.values()) each.end();
      rows = new Map();
      members.settle();
    },
    discard() {
      rows = new Map();
      members.discard();
    },
  };
}

/** Statements that write these columns of customers, whether they have a row already or not. */
function shapeOf(db: Sqlite, columns: readonly string[]): Bulk {
  const set = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  const clause = columns.length === 0 ? "ON CONFLICT DO NOTHING" : `ON CONFLICT DO UPDATE SET ${set}`;
  return bulkInsert(db, { into: "facts", columns: ["id", ...columns], clause });
}

/** Makes the table when it is missing or made for other facts. What held a live row once stays listed. */
function prepare(
  db: Sqlite,
  groups: readonly FactGroup[],
  fill: (listed: ReadonlySet<string>) => void,
): void {
  const wanted = JSON.stringify(
    groups.map(({ facts }) => facts.map(({ column, name, as }) => [column, name, as])),
  );
  db.transaction("write", () => {
    const found = db.prepare("SELECT value FROM meta WHERE name = 'facts'").get<[string]>()?.[0];
    if (found === wanted) return;
    const listed = found === undefined ? [] : db.prepare("SELECT id FROM facts").all<[string]>();
    const columns = groups.flatMap(({ facts }) => facts.map(({ column }) => `, ${column}`)).join("");
    db.exec("DROP TABLE IF EXISTS facts; DELETE FROM members");
    db.exec(`CREATE TABLE facts (id TEXT PRIMARY KEY${columns}) WITHOUT ROWID`);
    db.prepare("INSERT INTO meta VALUES ('facts', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(
      wanted,
    );
    fill(new Set(listed.map(([id]) => id)));
  });
}

function everyValue(group: FactGroup, customer: Customer): readonly SqlValue[] {
  const values = group.values(customer);
  return group.facts.map(({ as }, index) => storedValue(values[index], as));
}

interface Changes {
  readonly before: Customer;
  readonly after: Customer;
  /** Number of facts in the groups before. */
  readonly offset: number;
  /** Receives the numbers of the facts that differ ... */
  readonly changed: number[];
  /** ... and their new values. */
  readonly values: SqlValue[];
}

function collectChanges(group: FactGroup, { before, after, offset, changed, values }: Changes): void {
  if (group.part(before) === group.part(after)) return;
  const old = group.values(before);
  const now = group.values(after);
  for (const [index, { as }] of group.facts.entries()) {
    if (old[index] === now[index]) continue;
    changed.push(offset + index);
    values.push(storedValue(now[index], as));
  }
}
