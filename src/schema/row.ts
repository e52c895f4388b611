import type { ColumnPlan, TablePlan } from "../cdc/table.ts";
import type { Customer } from "../customer/customer.ts";
import { globalId } from "../resolvers/node.ts";
import { oneRow, rows } from "../resolvers/rows.ts";
import type { ListedRow } from "../store/reads.ts";
import type { Builder } from "./builder.ts";
import { connection, pageArgs } from "./connection.ts";
import type { SchemaTypesOf } from "./connection.ts";
import { described, rowRef, scalarOf } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** Declares the row type of a table: its columns, and an id that is the same for as long as the row's key is. */
export function declareRow(surface: Surface, table: TablePlan): void {
  const { names } = surface;
  const { type } = names.table(table.name);
  const addressable = table.storage.kind === "inline";
  rowRef(surface, table).implement({
    description: described(table.description, `A row of the table ${table.name}.`),
    ...(addressable ? { interfaces: [surface.refs.node] } : {}),
    fields: (t) => ({
      ...(addressable ? {} : { id: pagedId(t, type) }),
      ...Object.fromEntries(
        table.columns.map((column) => [names.column(table.name, column.name), columnField(t, column)]),
      ),
    }),
  });
}

type RowFields = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypesOf, ListedRow>;

/** Rows in pages cannot be found by key alone, so they have an id for client caches and are no Node. */
function pagedId(t: RowFields, type: string) {
  return t.id({
    description: "Unique over all types, for client caches; `node` does not know rows of this table.",
    resolve: (row) => globalId(type, row.customerId, row.key),
  });
}

function columnField(t: RowFields, column: ColumnPlan) {
  const scalar = scalarOf(column.type);
  const description = described(column.description, `The column ${column.name}.`) + unitNote(column);
  const resolve = (row: ListedRow) => (row.row.values[column.name] ?? null) as never;
  return column.list
    ? t.field({ type: [scalar], nullable: { list: true, items: true }, description, resolve })
    : t.field({ type: scalar, nullable: true, description, resolve });
}

function unitNote(column: ColumnPlan): string {
  if (column.type === "bytes") return " As base64.";
  return column.type === "decimal" && column.scale !== null
    ? ` With ${column.scale} digits after the point.`
    : "";
}

/** Declares the field of a table on Customer: a row, or a connection of rows. */
export function declareTableField(builder: Builder, surface: Surface, table: TablePlan): void {
  const { field } = surface.names.table(table.name);
  const row = rowRef(surface, table);
  const description = described(table.description, `Rows of the table ${table.name}.`);
  if (table.rows === "one") {
    builder.objectField(surface.refs.customer, field, (t) =>
      t.field({
        type: row,
        nullable: true,
        description: `${description} Null when the customer has none.`,
        resolve: (customer: Customer) => oneRow(customer, table.name),
      }),
    );
    return;
  }
  const page = connection(builder, {
    node: row,
    description: `A page of ${surface.names.table(table.name).type}, newest position first.`,
    counts: "How many the customer has.",
  });
  builder.objectField(surface.refs.customer, field, (t) =>
    t.field({
      type: page,
      description: `${description} Newest position first.`,
      args: pageArgs(t.arg),
      resolve: (customer: Customer, args, context) => rows(context, customer, { table, args }),
    }),
  );
}
