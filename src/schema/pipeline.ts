import type { TablePlan } from "../cdc/table.ts";
import type { Plan } from "../customer/plan.ts";
import type { Checkpoint, Lag } from "../ingest/source.ts";
import * as facts from "../resolvers/pipeline.ts";
import type { Counted, RuleCount } from "../resolvers/pipeline.ts";
import type { Counts } from "../store/reads.ts";
import { described } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** Kebab-case codes of the core as enum values. */
const valueOf = (code: string) => code.toUpperCase().replaceAll("-", "_");

/** Declares Pipeline: what is read, how far behind it is, and what became of every record. */
export function declarePipeline(surface: Surface): void {
  const { builder } = surface;
  const table = declareTable(surface);
  const quarantined = declareQuarantined(surface);
  const { checkpoint, lag } = declareSource(surface);
  const pipeline = builder.objectRef<Plan>("Pipeline").implement({
    description: "The pipeline this server runs, and how it is doing.",
    fields: (t) => ({
      name: t.exposeString("name", { description: "Its name in the pipeline file." }),
      description: t.exposeString("description", { description: "What it is for." }),
      version: t.exposeString("version", {
        description: "Changes when anything that alters derived values changes.",
      }),
      tables: t.field({
        type: [table],
        description: "The tables it reads, in the order of the pipeline file.",
        resolve: (plan) => plan.tables,
      }),
      customers: t.field({
        type: "BigInt",
        description: "Customers stored.",
        resolve: (_plan, _args, context) => facts.customerCount(context).then(String),
      }),
      quarantine: t.field({
        type: [quarantined],
        description: "Records put aside, by table and reason. None is lost.",
        resolve: (_plan, _args, context) => facts.quarantine(context),
      }),
      lag: t.field({
        type: [lag],
        nullable: true,
        description: "How far the source is behind, per partition; null in a process that does not ingest.",
        resolve: (_plan, _args, context) => facts.lag(context),
      }),
      checkpoints: t.field({
        type: [checkpoint],
        nullable: true,
        description: "Where the source goes on after a restart; null in a process that does not ingest.",
        resolve: (_plan, _args, context) => facts.checkpoints(context),
      }),
    }),
  });
  builder.queryField("pipeline", (t) =>
    t.field({
      type: pipeline,
      description: "The pipeline this server runs, and how it is doing.",
      resolve: (_root, _args, context) => context.plan,
    }),
  );
}

function declareTable(surface: Surface) {
  const { builder, names } = surface;
  const kind = builder.enumType("TableKind", {
    description: "How a customer holds a table's rows.",
    values: {
      ONE_ROW: { description: "At most one row per customer." },
      MANY_ROWS: { description: "Any number of rows, in the customer's document." },
      PAGED: { description: "Any number of rows, in pages of a month or a day." },
    } as const,
  });
  const kindOf = (table: TablePlan) =>
    table.rows === "one" ? "ONE_ROW" : table.storage.kind === "paged" ? "PAGED" : "MANY_ROWS";
  const counts = declareCounts(surface);
  return builder.objectRef<TablePlan>("PipelineTable").implement({
    description: "One table of the pipeline, and what became of its records.",
    fields: (t) => ({
      name: t.exposeString("name", { description: "Its name in the pipeline file." }),
      field: t.string({
        description: "Its field on Customer.",
        resolve: (table) => names.table(table.name).field,
      }),
      description: t.string({
        description: "What it holds.",
        resolve: (table) => described(table.description, `Rows of the table ${table.name}.`),
      }),
      kind: t.field({ type: kind, description: "How a customer holds its rows.", resolve: kindOf }),
      topics: t.stringList({
        description: "The topics it is read from.",
        resolve: (table) => [...table.topics],
      }),
      verdictCounts: t.field({
        type: [counts.verdict],
        description: "What became of its changes.",
        resolve: (table, _, context) => facts.tallies(context, table.name, "verdict"),
      }),
      skipCounts: t.field({
        type: [counts.skip],
        description: "Records that are neither changes nor errors, by what they are.",
        resolve: (table, _, context) => facts.tallies(context, table.name, "skip"),
      }),
      conflicts: t.field({
        type: "BigInt",
        description: "Changes found with another content at exactly the same position.",
        resolve: async (table, _, context) =>
          String(
            (await facts.tallies(context, table.name, "conflict")).reduce((sum, { count }) => sum + count, 0),
          ),
      }),
      rules: t.field({
        type: [counts.rule],
        description: "Its quality rules, with how often each was violated.",
        resolve: (table, _, context) => facts.rules(context, table),
      }),
      lag: t.field({
        type: "BigInt",
        nullable: true,
        description: "How far its topics are behind; null where that is not known for this table.",
        resolve: (table, _, context) => facts.lagOf(context, table),
      }),
      quarantined: t.field({
        type: "BigInt",
        description: "Records put aside.",
        resolve: (table, _, context) => facts.quarantinedOf(context, table.name).then(String),
      }),
    }),
  });
}

function declareCounts({ builder }: Surface) {
  const verdict = builder.enumType("Verdict", {
    description: "What became of a change.",
    values: {
      APPLIED: { description: "It changed its row." },
      DUPLICATE: { description: "It was known already." },
      LATE: { description: "Its row had moved on." },
      BLOCKED_BY_DELETE: { description: "Its row was deleted later." },
      BLOCKED_BY_TRUNCATE: { description: "Its table was truncated later." },
    } as const,
  });
  const ruleAction = builder.enumType("RuleAction", {
    description: "What happens to a record that violates a rule.",
    values: {
      WARN: { description: "It is counted and kept." },
      DROP: { description: "It is counted and left out." },
      QUARANTINE: { description: "It is put aside." },
      FAIL: { description: "The pipeline stops." },
    } as const,
  });
  return {
    verdict: builder.objectRef<Counted>("VerdictCount").implement({
      description: "How often a verdict was given.",
      fields: (t) => ({
        verdict: t.field({
          type: verdict,
          description: "The verdict.",
          resolve: (each) => valueOf(each.label) as "LATE",
        }),
        count: t.field({ type: "BigInt", description: "How often.", resolve: (each) => String(each.count) }),
      }),
    }),
    skip: builder.objectRef<Counted>("SkipCount").implement({
      description: "How often records of a kind were passed over.",
      fields: (t) => ({
        kind: t.string({
          description: "What they are: tombstone, heartbeat, schema-change, and so on.",
          resolve: (each) => each.label,
        }),
        count: t.field({ type: "BigInt", description: "How often.", resolve: (each) => String(each.count) }),
      }),
    }),
    rule: builder.objectRef<RuleCount>("RuleCount").implement({
      description: "A quality rule with how often it was violated.",
      fields: (t) => ({
        name: t.exposeString("name", { description: "Its name in the pipeline file." }),
        action: t.field({
          type: ruleAction,
          description: "What happens to a record that violates it.",
          resolve: (each) => valueOf(each.action) as "WARN",
        }),
        violations: t.field({
          type: "BigInt",
          description: "How often it was violated.",
          resolve: (each) => String(each.violations),
        }),
      }),
    }),
  };
}

function declareQuarantined({ builder }: Surface) {
  return builder.objectRef<Counts["quarantined"][number]>("QuarantineCount").implement({
    description: "How many records were put aside for one reason.",
    fields: (t) => ({
      table: t.string({
        nullable: true,
        description: "The table; null when the record could not be read that far.",
        resolve: (each) => each.table,
      }),
      code: t.string({
        description: "The reason's stable code: unreadable, missing-key, expectation, and so on.",
        resolve: (each) => each.code,
      }),
      count: t.field({ type: "BigInt", description: "How many.", resolve: (each) => String(each.count) }),
    }),
  });
}

function declareSource({ builder }: Surface) {
  const lag = builder.objectRef<Lag>("PartitionLag").implement({
    description: "How far a partition of the source is behind.",
    fields: (t) => ({
      topic: t.exposeString("topic", {
        description: "The topic, or `file:`, a path and a hash of the file's head.",
      }),
      partition: t.exposeInt("partition", { description: "The partition." }),
      behind: t.field({
        type: "BigInt",
        description: "Records, or bytes of a file, known but not yet read.",
        resolve: (each) => each.behind,
      }),
    }),
  });
  const checkpoint = builder.objectRef<Checkpoint>("Checkpoint").implement({
    description: "Where a partition goes on after a restart.",
    fields: (t) => ({
      topic: t.exposeString("topic", {
        description: "The topic, or `file:`, a path and a hash of the file's head.",
      }),
      partition: t.exposeInt("partition", { description: "The partition." }),
      nextOffset: t.field({
        type: "BigInt",
        description: "The first offset not yet done with.",
        resolve: (each) => each.nextOffset,
      }),
    }),
  });
  return { lag, checkpoint };
}
