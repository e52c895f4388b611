import type { Op } from "../cdc/change.ts";
import type {
  ColumnPlan,
  Expectation,
  RowCondition,
  SequencePlan,
  Storage,
  TablePlan,
} from "../cdc/table.ts";
import { isPattern, patternOf } from "../cdc/topics.ts";
import { AnyFields, mayBeBroken, rootsOf, settle } from "./building.ts";
import type { Building, Fields } from "./building.ts";
import { rowCondition } from "./cel/conditions.ts";
import { ANYTHING, fieldOf } from "./cel/kinds.ts";
import type { Roots } from "./cel/kinds.ts";
import { columnPlan } from "./columns.ts";
import { suggestion } from "./faults.ts";
import type { Path } from "./faults.ts";
import type { TableEntry } from "./file.ts";

/** A table with the names its row conditions may use. */
export interface BuiltTable {
  readonly plan: TablePlan;
  readonly fields: Fields;
  readonly roots: Roots;
}

const ROOTS = new Set(["row", "metrics", "segments", "settings"]);
const BUILT_IN: readonly (readonly [string, Op])[] = [
  ["c", "upsert"],
  ["u", "upsert"],
  ["r", "upsert"],
  ["d", "delete"],
  ["t", "truncate"],
];
const OPS: Readonly<Record<string, Op>> = {
  insert: "upsert",
  update: "upsert",
  delete: "delete",
  truncate: "truncate",
};
const CUSTOMER_TYPES = new Set(["text", "int", "bigint", "uuid", "enum"]);
/** What positions cannot be made of. */
const UNORDERED_TYPES = new Set(["float", "time", "boolean", "json", "bytes"]);
const KEYLESS_TYPES = new Set(["float", "json", "bytes"]);

/** Compiles every table of the file, by name. */
export function tables(building: Building, settings: Fields): ReadonlyMap<string, BuiltTable> {
  const built = new Map<string, BuiltTable>();
  const readers = new Map<string, string>();
  for (const [name, entry] of Object.entries(building.file.tables)) {
    if (ROOTS.has(name))
      building.report.atKey(
        ["tables", name],
        `"${name}" has a meaning of its own in conditions; name the table otherwise`,
      );
    entry.topics.forEach((topic, index) => {
      const other = readers.get(topic);
      if (other !== undefined)
        building.report.at(
          ["tables", name, "topics", index],
          `topic "${topic}" is read by table "${other}" already`,
        );
      readers.set(topic, name);
      if (isPattern(topic) && !isExpression(topic))
        building.report.at(["tables", name, "topics", index], `"${topic}" is no regular expression`);
    });
    built.set(name, table(new TableBuilding(building, name, entry), settings));
  }
  return built;
}

function isExpression(topic: string): boolean {
  try {
    patternOf(topic);
    return true;
  } catch {
    return false;
  }
}

class TableBuilding {
  readonly building: Building;
  readonly name: string;
  readonly entry: TableEntry;
  readonly path: Path;
  constructor(building: Building, name: string, entry: TableEntry) {
    this.building = building;
    this.name = name;
    this.entry = entry;
    this.path = ["tables", name];
  }
  at(...path: Path): Path {
    return [...this.path, ...path];
  }
  fault(path: Path, text: string): void {
    this.building.report.at(this.at(...path), text);
  }
  /** The declared column, or null after a fault. */
  column(path: Path, name: string): TableEntry["columns"][string] | null {
    const found = this.entry.columns[name];
    if (found !== undefined) return found;
    if (mayBeBroken(this.building, `tables.${this.name}.columns`, name)) return null;
    this.fault(path, `"${name}" is no declared column${suggestion(name, Object.keys(this.entry.columns))}`);
    return null;
  }
  isBroken(column: string): boolean {
    return this.building.broken.has(`tables.${this.name}.columns.${column}`);
  }
}

function table(work: TableBuilding, settings: Fields): BuiltTable {
  const { entry, building } = work;
  const columns = Object.entries(entry.columns).map(([name, column]) =>
    columnPlan(building, work.at("columns", name), column),
  );
  const fields = fieldsOfColumns(work, columns);
  const roots = rootsOf([
    ["row", fields],
    ["settings", settings],
  ]);
  const condition = (path: Path, text: string | undefined): RowCondition | null =>
    text === undefined ? null : settle(building, work.at(...path), rowCondition(text, roots));
  checkCustomer(work);
  const plan: TablePlan = {
    name: work.name,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.type === undefined ? {} : { typeName: entry.type }),
    topics: entry.topics,
    format: entry.format ?? "debezium",
    key: key(work),
    customer: entry.customer,
    columns,
    sequence: sequence(work),
    epoch: entry.epoch ?? 0,
    ops: new Map([
      ...BUILT_IN,
      ...Object.entries(entry.ops ?? {}).map(([alias, op]) => [alias, OPS[op] ?? "upsert"] as const),
    ]),
    deleteWhen: condition(["deleteWhen"], entry.deleteWhen),
    truncateWhen: condition(["truncateWhen"], entry.truncateWhen),
    ignoreNulls: ignoreNulls(work),
    rows: entry.rows,
    storage: storage(work),
    appendOnly: entry.appendOnly ?? false,
    expectations: Object.entries(entry.expect ?? {}).flatMap(([name, rule]): Expectation[] => {
      const holds = condition(["expect", name, "that"], rule.that);
      return holds === null ? [] : [{ name, holds, action: rule.else }];
    }),
  };
  return { plan, fields, roots };
}

function fieldsOfColumns(work: TableBuilding, columns: readonly ColumnPlan[]): Fields {
  if (work.isBroken("*")) return new AnyFields();
  return new Map(
    columns.map(({ name, type, list }) => {
      const title = work.entry.columns[name]?.as;
      const field = { ...fieldOf(type, list), ...(title === undefined ? {} : { title }) };
      return [name, work.isBroken(name) ? ANYTHING : field];
    }),
  );
}

function checkCustomer(work: TableBuilding): void {
  const column = work.column(["customer"], work.entry.customer);
  if (column === null || work.isBroken(work.entry.customer)) return;
  if (column.list !== true && CUSTOMER_TYPES.has(column.type)) return;
  work.fault(
    ["customer"],
    `a customer's id is text, int, bigint, uuid or enum; this column is ${column.list === true ? "a list" : column.type}`,
  );
}

/** The key as written; a one-row table without one is keyed by its customer, an append-only one by coordinates. */
function key(work: TableBuilding): readonly string[] {
  const { entry } = work;
  if (entry.key === undefined || entry.key.length === 0) {
    if (entry.appendOnly === true) return [];
    if (entry.rows === "one") return [entry.customer];
    work.building.report.atKey(
      work.at(),
      `table "${work.name}" has no key: name the columns that identify a row, or say appendOnly: true`,
    );
    return [];
  }
  entry.key.forEach((name, index) => {
    const column = work.column(["key", index], name);
    if (column !== null && (column.list === true || KEYLESS_TYPES.has(column.type))) {
      work.fault(
        ["key", index],
        `a column of type ${column.list === true ? "list" : column.type} cannot identify a row`,
      );
    }
  });
  return entry.key;
}

function sequence(work: TableBuilding): SequencePlan {
  const { entry } = work;
  if (entry.sequenceBy === undefined) {
    if (entry.format === "flat") {
      const text = `records of "${work.name}" are flat, so they carry no position of their own: name the columns that order them in sequenceBy`;
      work.building.report.atKey(work.at(), text);
    }
    return { kind: "log" };
  }
  entry.sequenceBy.forEach((name, index) => {
    const column = work.column(["sequenceBy", index], name);
    if (column !== null && (column.list === true || UNORDERED_TYPES.has(column.type))) {
      work.fault(
        ["sequenceBy", index],
        `a column of type ${column.list === true ? "list" : column.type} has no order`,
      );
    }
  });
  return { kind: "columns", columns: entry.sequenceBy };
}

function storage(work: TableBuilding): Storage {
  const { page, rows } = work.entry;
  if (page === undefined) return { kind: "inline" };
  if (rows === "one")
    work.fault(
      ["page"],
      "a table with one row per customer has nothing to page; leave this out or say rows: many",
    );
  const column = work.column(["page", "column"], page.column);
  if (
    column !== null &&
    !work.isBroken(page.column) &&
    (column.list === true || !["date", "timestamp"].includes(column.type))
  ) {
    work.fault(["page", "column"], `pages are made by a date or timestamp; this column is ${column.type}`);
  }
  return { kind: "paged", column: page.column, period: page.period };
}

function ignoreNulls(work: TableBuilding): ReadonlySet<string> {
  const { ignoreNulls: which, columns } = work.entry;
  if (which === undefined || which === false) return new Set();
  if (which === true) return new Set(Object.keys(columns));
  which.forEach((name, index) => work.column(["ignoreNulls", index], name));
  return new Set(which);
}
