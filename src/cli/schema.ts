import { Command } from "commander";
import { lexicographicSortSchema, printSchema } from "graphql";
import { pipelineJsonSchema } from "../plan/schema.ts";
import { buildSchema } from "../schema/schema.ts";
import { BANKING, readPlan } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** `schema`: prints the GraphQL schema of a pipeline, or the JSON Schema of pipeline files for editors. */
export function schemaCommand(terminal: Terminal): Command {
  return new Command("schema")
    .description("print the GraphQL schema of a pipeline, or with --json the JSON Schema of pipeline files")
    .option("--pipeline <file>", "the pipeline file; without it the banking pipeline of the package", BANKING)
    .option("--json", "print the JSON Schema of pipeline files, for editors")
    .addHelpText(
      "after",
      `
Examples:
  customer360 schema --pipeline bank.yaml > schema.graphql
  customer360 schema --json > pipeline.schema.json`,
    )
    .action((flags: { readonly pipeline: string; readonly json?: true }) => {
      terminal.out(
        flags.json === true
          ? `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`
          : `${printSchema(lexicographicSortSchema(buildSchema(readPlan(flags.pipeline))))}\n`,
      );
    });
}
