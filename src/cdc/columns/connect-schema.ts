import { Digits, isObject, member, type Json } from "../reading/json.ts";

/** What an embedded Kafka Connect schema says about one field. */
export interface FieldSchema {
  /** Physical type: `int32`, `bytes`, `string`, `struct`, ... */
  readonly type: string;
  /** Logical type, such as `io.debezium.time.MicroTimestamp`; null when plain. */
  readonly name: string | null;
  /** Scale of a Kafka Connect decimal. */
  readonly scale: number | null;
  /** Element type of an array. */
  readonly items: FieldSchema | null;
  /** What the connector puts where it has no value; undefined when the schema names none. */
  readonly default: Json | undefined;
}

/** Fields of a row by column name. */
export type RowSchema = ReadonlyMap<string, FieldSchema>;

/**
 * The row's fields in an embedded schema: those of `after` (or `before`) of an envelope, else the struct's own.
 * Null when the schema is not one of Kafka Connect: then nothing is known.
 */
export function rowSchema(schema: Json | undefined): RowSchema | null {
  const fields = fieldsOf(schema);
  if (fields === null) return null;
  const row = fields.find(
    (field) => member(field, "field") === "after" || member(field, "field") === "before",
  );
  const columns = row === undefined ? fields : fieldsOf(row);
  if (columns === null) return null;
  const known = new Map<string, FieldSchema>();
  for (const column of columns) {
    const name = member(column, "field");
    const schemaOfColumn = fieldSchema(column);
    if (typeof name === "string" && schemaOfColumn !== null) known.set(name, schemaOfColumn);
  }
  return known;
}

function fieldsOf(schema: Json | undefined): readonly Json[] | null {
  const fields = member(schema, "fields");
  return Array.isArray(fields) ? fields : null;
}

function fieldSchema(json: Json | undefined): FieldSchema | null {
  const type = member(json, "type");
  if (!isObject(json) || typeof type !== "string") return null;
  const name = member(json, "name");
  return {
    type,
    name: typeof name === "string" ? name : null,
    scale: scaleOf(member(member(json, "parameters"), "scale")),
    items: fieldSchema(member(json, "items")),
    default: member(json, "default"),
  };
}

function scaleOf(scale: Json | undefined): number | null {
  const text = scale instanceof Digits ? scale.text : String(scale);
  return /^-?\d{1,4}$/.test(text) ? Number(text) : null;
}
