import { z } from "zod";
import type { Path } from "./faults.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const name = z
  .string()
  .regex(NAME, "a name has letters, digits and underscores, and does not begin with a digit");
const text = z.string().min(1);
const condition = text.meta({
  description: "A condition in CEL, such as `row.amount > 100.0`. A comparison with null is false.",
});
const description = text
  .optional()
  .meta({ description: "What it is, in plain words; shown in the GraphQL schema." });
const column = name.meta({ description: "The name of a declared column." });

const columnSchema = z.strictObject({
  type: z
    .enum([
      "text",
      "int",
      "bigint",
      "decimal",
      "float",
      "boolean",
      "date",
      "time",
      "timestamp",
      "uuid",
      "json",
      "bytes",
      "enum",
    ])
    .meta({ description: "The logical type. `int` has at most 32 bits; money is `decimal`, never `float`." }),
  list: z.boolean().optional().meta({ description: "True for an array of the type." }),
  scale: z.int().min(0).max(100).optional().meta({
    description:
      "Digits after the point of a decimal. Needed when the connector sends decimals as bytes without their schema.",
  }),
  unit: z.enum(["s", "ms", "us", "ns", "days"]).optional().meta({
    description:
      "What one means in a numeric date, time or timestamp. Overrides what an embedded schema claims.",
  }),
  format: text
    .optional()
    .meta({ description: "The pattern of a text date that is not ISO, such as `MM-dd-yyyy HH:mm:ss`." }),
  unscaled: z.boolean().optional().meta({
    description:
      "True when decimals come as base64 of their digits although no schema is embedded (precise mode, schemas off); `scale` then places the point.",
  }),
  encoding: z
    .enum(["base64", "base64-url-safe", "hex"])
    .optional()
    .meta({ description: "How the connector writes bytes (binary.handling.mode). Default base64." }),
  as: name.optional().meta({
    description:
      "The field's name in GraphQL, and in sentences that say why; conditions keep the column's own name.",
  }),
  description,
});

const expectationSchema = z.strictObject({
  that: condition.meta({ description: "What has to hold for every upsert, in CEL over `row`." }),
  else: z.enum(["warn", "drop", "quarantine", "fail"]).meta({
    description:
      "What happens otherwise: count it and go on, leave the record out, put it in quarantine, or stop.",
  }),
});

const tableSchema = z.strictObject({
  description,
  type: name
    .optional()
    .meta({ description: "The GraphQL type of a row; by default made from the table's name." }),
  topics: z.array(text).min(1).meta({
    description:
      "The topics whose records are changes of this table. A name, or a regular expression between slashes that matches whole names.",
  }),
  format: z.enum(["debezium", "flat"]).optional().meta({
    description: "`debezium`: an envelope with op, before and after (default). `flat`: the value is the row.",
  }),
  key: z.array(column).optional().meta({
    description:
      "The columns that identify a row. Left out only for append-only tables, whose records are identified by their coordinates.",
  }),
  customer: column.meta({
    description:
      "The column that holds the customer's id. Numbers and texts of the same digits are the same customer.",
  }),
  rows: z.enum(["one", "many"]).meta({ description: "Whether a customer has at most one row, or many." }),
  page: z
    .strictObject({
      column: column.meta({ description: "The date or timestamp column that decides a row's page." }),
      period: z.enum(["month", "day"]).meta({ description: "How much time a page spans." }),
    })
    .optional()
    .meta({ description: "Keep the rows in pages, for tables with thousands of rows per customer." }),
  sequenceBy: z.array(column).min(1).optional().meta({
    description:
      "The columns that order the changes of a row, compared one after the other. Left out: the position in the database's log, of PostgreSQL, MySQL or MariaDB.",
  }),
  epoch: z.int().min(0).max(9999).optional().meta({
    description: "Raised when the source's positions start anew (a restore, a failover). Default 0.",
  }),
  ops: z
    .record(text, z.enum(["insert", "update", "delete", "truncate"]))
    .optional()
    .meta({ description: "What else stands for an operation, besides Debezium's c, u, r, d and t." }),
  deleteWhen: condition.optional().meta({ description: "Rows for which this holds are deletes." }),
  truncateWhen: condition
    .optional()
    .meta({ description: "Records for which this holds empty the whole table." }),
  ignoreNulls: z
    .union([z.boolean(), z.array(column)])
    .optional()
    .meta({ description: "Null means `not sent` here: true for all columns, or their names." }),
  appendOnly: z.boolean().optional().meta({ description: "Rows are never changed or deleted." }),
  columns: z.record(name, columnSchema).meta({ description: "The columns, by the names the records use." }),
  expect: z
    .record(name, expectationSchema)
    .optional()
    .meta({ description: "Quality rules by name; each is counted." }),
});

const settingSchema = z.strictObject({
  type: z
    .enum(["text", "int", "bigint", "decimal", "float", "boolean"])
    .meta({ description: "The type of the value." }),
  required: z
    .boolean()
    .optional()
    .meta({ description: "True when the pipeline makes no sense without a value." }),
  value: z
    .union([z.string(), z.number(), z.boolean()])
    .optional()
    .meta({ description: "The value conditions see as `settings.<name>`." }),
  description: text.meta({ description: "What it decides, for the person who has to set it." }),
});

const aggregated = column.optional();
const metricSchema = z.strictObject({
  description,
  table: name.optional().meta({ description: "The table whose rows are aggregated." }),
  count: z.literal(true).optional().meta({ description: "Count the rows." }),
  sum: aggregated.meta({ description: "Add up this column, exactly." }),
  min: aggregated.meta({ description: "The least value of this column." }),
  max: aggregated.meta({ description: "The greatest value of this column." }),
  average: aggregated.meta({
    description: "The mean of this column; its scale is the column's plus 2 unless `scale` says otherwise.",
  }),
  distinct: aggregated.meta({ description: "Count the different values of this column." }),
  latest: aggregated.meta({ description: "The value of this column in the row with the newest position." }),
  where: condition.optional().meta({ description: "Which rows count, in CEL over `row`." }),
  over: z.enum(["current", "history"]).optional().meta({
    description:
      "`history`: every version a row ever had, also late ones (min and max of tables that are not paged).",
  }),
  expression: text.optional().meta({
    description:
      "A value worked out from `metrics.<name>` and the columns of one-row tables, in CEL. An error gives null.",
  }),
  type: z
    .enum(["int", "bigint", "decimal", "float", "text", "boolean", "timestamp"])
    .optional()
    .meta({ description: "The type of an expression's value." }),
  scale: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .meta({ description: "Digits after the point of a decimal; a half is rounded away from zero." }),
});

const segmentSchema = z.strictObject({
  description,
  tiers: z
    .record(name, condition)
    .optional()
    .meta({ description: "Tiers with their conditions; the first that holds is the customer's." }),
  otherwise: name.optional().meta({ description: "The tier when no condition holds." }),
  when: condition.optional().meta({ description: "For a segment without tiers: who is in it." }),
});

const offerSchema = z.strictObject({
  title: text.meta({ description: "What the customer reads." }),
  description,
  trigger: z
    .strictObject({
      crosses: condition
        .optional()
        .meta({ description: "A condition over `row` that has to become true after having been false." }),
      table: name.optional().meta({ description: "The one-row table whose row crosses." }),
      when: condition.optional().meta({ description: "A condition on the customer." }),
    })
    .meta({ description: "What earns the offer: `crosses` with `table`, or `when`." }),
  eligibility: condition.optional().meta({ description: "Who may have it at all." }),
  expiresAfter: z
    .string()
    .regex(/^[1-9]\d{0,5}(s|m|h|d|w)$/, "a time span is a number with s, m, h, d or w, such as 30d")
    .optional()
    .meta({ description: "How long it stands, such as 30d, 12h or 15m. Left out: for ever." }),
  reason: text.meta({
    description: "Why the customer gets it, in plain words; `{metrics.balance}` and the like are filled in.",
  }),
});

const fileSchema = z
  .strictObject({
    name: name.meta({ description: "The pipeline's name." }),
    description,
    tables: z.record(name, tableSchema).meta({ description: "The tables of the source databases, by name." }),
    settings: z.record(name, settingSchema).optional().meta({
      description:
        "Values the person who runs the pipeline decides; conditions see them as `settings.<name>`.",
    }),
    metrics: z
      .record(name, metricSchema)
      .optional()
      .meta({ description: "Values derived from rows, by name." }),
    segments: z
      .record(name, segmentSchema)
      .optional()
      .meta({ description: "Groups of customers; each may use those before it." }),
    offers: z
      .record(name, offerSchema)
      .optional()
      .meta({ description: "What customers are offered, and when." }),
  })
  .meta({ title: "customer360 pipeline" });

/** A pipeline file as written, its shape checked. */
export type PipelineFile = z.infer<typeof fileSchema>;
/** One table as written. */
export type TableEntry = z.infer<typeof tableSchema>;
/** One column as written. */
export type ColumnEntry = z.infer<typeof columnSchema>;
/** One setting as written. */
export type SettingEntry = z.infer<typeof settingSchema>;
/** One metric as written. */
export type MetricEntry = z.infer<typeof metricSchema>;
/** One segment as written. */
export type SegmentEntry = z.infer<typeof segmentSchema>;
/** One offer as written. */
export type OfferEntry = z.infer<typeof offerSchema>;

/** The shape of a pipeline file as JSON Schema, for editors. */
export function fileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema, { io: "input", reused: "inline" });
}

/** What zod found wrong with one value. */
export type Issue = z.core.$ZodIssue;

/** Checks the shape of a file's content: the file, or all that is wrong with it. */
export function checkShape(
  content: unknown,
): { readonly file: PipelineFile } | { readonly issues: readonly Issue[] } {
  const checked = fileSchema.safeParse(content);
  return checked.success ? { file: checked.data } : { issues: checked.error.issues };
}

/** Walks the schema along a path, to tell what could have stood there. */
function schemaAt(path: Path): unknown {
  let schema: unknown = fileSchema;
  for (const step of path) {
    schema = unwrapped(schema);
    if (schema instanceof z.ZodObject) schema = schema.shape[String(step)];
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else return undefined;
  }
  return unwrapped(schema);
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

/** The keys that may stand in the mapping at a path. */
export function knownKeys(path: Path): readonly string[] {
  const schema = schemaAt(path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** What belongs at a path, as a sentence to end a fault with; empty when nothing is said about it. */
export function purpose(path: Path): string {
  const schema = schemaAt(path);
  const about = schema instanceof z.ZodType ? schema.description : undefined;
  return about === undefined ? "" : `. ${about}`;
}
