import type { Customer } from "../customer/customer.ts";
import type { FactGroup } from "./facts.ts";
import { storedValue } from "./facts.ts";
import { storedText } from "./sql-text.ts";
import { sqliteMembers } from "./sqlite-members.ts";
import type { Sqlite, SqlValue } from "./sqlite.ts";

/** Keeps the table `facts` (one row per listed customer, one column per fact) and the member counts in step with documents. */
export interface FactTable {
  /** Brings a customer's facts from one version to the next; only changed columns are written. */
  change(before: Customer, after: Customer): void;
  /** Writes the member counts that changed; once per transaction. */
  settle(): void;
  /** Forgets unwritten counts, when a transaction begins anew. */
  discard(): void;
}

/** Distinct sets of changed columns that get a statement of their own; beyond them all columns are written. */
const MAX_SHAPES = 200;

/** The table of facts, made or remade as the pipeline wants it; `documents` gives every stored one when it must be filled. */
export function sqliteFacts(
  db: Sqlite,
  groups: readonly FactGroup[],
  documents: () => Iterable<Customer>,
): FactTable {
  const columns = groups.flatMap(({ facts }) => facts.map(({ column }) => column));
  const segments = groups.flatMap(({ facts }) =>
    facts.flatMap(({ name }) => (name.startsWith("segment:") ? [name.slice("segment:".length)] : [])),
  );
  const shapes = new Map<string, string>();
  const members = sqliteMembers(db, segments);
  const insertSql = `INSERT INTO facts (${["id", ...columns].join(", ")}) VALUES (?${", ?".repeat(columns.length)})
    ON CONFLICT DO NOTHING`;
  const insert = (after: Customer): boolean => {
    const values = groups.flatMap((group) => everyValue(group, after));
    return db.prepare(insertSql).run(storedText(after.customerId), ...values) === 1;
  };
  const update = (before: Customer, after: Customer): boolean => {
    const changed: number[] = [];
    const values: SqlValue[] = [];
    let offset = 0;
    for (const group of groups) {
      collectChanges(group, { before, after, offset, changed, values });
      offset += group.facts.length;
    }
    if (changed.length === 0) return false;
    const id = storedText(after.customerId);
    const shape = changed.join();
    let sql = shapes.get(shape);
    if (sql === undefined && shapes.size < MAX_SHAPES) {
      sql = updateSql(changed.map((index) => columns[index] ?? ""));
      shapes.set(shape, sql);
    }
    if (sql !== undefined) return db.prepare(sql).run(...values, id) === 1;
    return (
      db.prepare(updateSql(columns)).run(...groups.flatMap((group) => everyValue(group, after)), id) === 1
    );
  };
  prepare(db, groups, (listed) => {
    for (const customer of documents()) {
      const isListed = isHolding(customer) || listed.has(storedText(customer.customerId));
      if (isListed && insert(customer)) members.enter(customer);
    }
    members.settle();
  });
  return {
    change(before, after) {
      if (!isHolding(before) && isHolding(after) && insert(after)) return members.enter(after);
      if (update(before, after)) members.move(before, after);
    },
    settle: members.settle,
    discard: members.discard,
  };
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

function updateSql(columns: readonly string[]): string {
  return `UPDATE facts SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE id = ?`;
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

/** True when the document shows a live row. */
export function isHolding({ tables, notes }: Customer): boolean {
  for (const table in tables) {
    const rows = tables[table];
    for (const key in rows) if (rows[key]?.live === true) return true;
  }
  for (const table in notes) {
    const pages = notes[table];
    for (const page in pages) if ((pages[page]?.liveRows ?? 0) > 0) return true;
  }
  return false;
}
