import { quarantinedRecords, SHOWN_CHARACTERS, shownText } from "../resolvers/quarantine.ts";
import type { QuarantinedRecord } from "../store/reads.ts";
import { connection, pageArgs } from "./connection.ts";
import type { Surface } from "./surface.ts";

const CUT = `as UTF-8, its first ${SHOWN_CHARACTERS.toLocaleString("en")} characters; what is no UTF-8 is shown as U+FFFD`;

/** Declares the query that shows refused records, one by one. */
export function declareQuarantine({ builder }: Surface): void {
  const record = builder.objectRef<QuarantinedRecord>("QuarantinedRecord").implement({
    description: "A record put aside, as it came, with the reason.",
    fields: (t) => ({
      table: t.string({
        nullable: true,
        description: "The table; null when the record could not be read that far.",
        resolve: (each) => each.table,
      }),
      code: t.string({
        description: "The reason's stable code: unreadable, missing-key, expectation, and so on.",
        resolve: (each) => each.refusal.code,
      }),
      reason: t.string({
        description: "The reason in plain words.",
        resolve: (each) => each.refusal.reason,
      }),
      rules: t.stringList({
        description: "Every quality rule it violated; empty when it could not be read that far.",
        resolve: (each) => [...each.refusal.rules],
      }),
      topic: t.string({
        description: "The topic, or `file:` and a path.",
        resolve: (each) => each.origin.topic,
      }),
      partition: t.int({ description: "The partition.", resolve: (each) => each.origin.partition }),
      offset: t.field({
        type: "BigInt",
        description: "The offset; of a record in a file its line.",
        resolve: (each) => each.origin.offset,
      }),
      at: t.field({
        type: "DateTime",
        description: "When it was put aside, by the server's clock.",
        resolve: (each) => each.atMs,
      }),
      key: t.string({
        nullable: true,
        description: `The record's key ${CUT}; null when it has none.`,
        resolve: (each) => shownText(each.key),
      }),
      value: t.string({
        nullable: true,
        description: `The record's value ${CUT}; null when it has none.`,
        resolve: (each) => shownText(each.value),
      }),
      valueBytes: t.int({
        nullable: true,
        description: "How many bytes the whole value has; null when there is none.",
        resolve: (each) => each.value?.bytes ?? null,
      }),
    }),
  });
  const page = connection(builder, {
    node: record,
    description: "A page of refused records, the last put aside first.",
    counts: null,
  });
  builder.queryField("quarantine", (t) =>
    t.field({
      type: page,
      description:
        "Refused records with their bytes, the last put aside first: to be looked at and repaired.",
      args: {
        table: t.arg.string({
          description: "Of this table, by its name in the pipeline file; of all when left out.",
        }),
        ...pageArgs(t.arg),
      },
      resolve: (_root, args, context) => quarantinedRecords(context, args),
    }),
  );
}
