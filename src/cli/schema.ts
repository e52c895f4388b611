import { Command } from "commander";
import { lexicographicSortSchema, printSchema } from "graphql";
import { pipelineJsonSchema } from "../plan/schema.ts";
import { buildSchema } from "../schema/schema.ts";
import { BANKING, pipelineFile, readPlan } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** `schema`: prints the GraphQL schema of a pipeline, or the JSON Schema of pipeline files for editors. */
export function schemaCommand(terminal: Terminal): Command {
  return new Command("schema")
    .description("print the GraphQL schema of a pipeline, or with --json the JSON Schema of pipeline files")
    .argument("[pipeline]", "the pipeline file; without it the banking pipeline of the package")
    .option("--pipeline <file>", "the same as an option")
    .option("--json", "print the JSON Schema of pipeline files, for editors")
    .addHelpText(
      "after",
      `
Examples:
  customer360 schema bank.yaml > schema.graphql
  customer360 schema --json > pipeline.schema.json`,
    )
    .action((file: string | undefined, flags: { readonly pipeline?: string; readonly json?: true }) => {
      const path =
        file === undefined && flags.pipeline === undefined ? BANKING : pipelineFile(file, flags.pipeline);
      terminal.out(
        flags.json === true
          ? `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`
          : `${printSchema(lexicographicSortSchema(buildSchema(readPlan(path))))}\n`,
      );
    });
}
