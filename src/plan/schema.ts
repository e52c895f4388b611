import { fileJsonSchema } from "./file.ts";

/** The JSON Schema of pipeline files, with a description on every key: editors complete and explain from it. */
export function pipelineJsonSchema(): object {
  return fileJsonSchema();
}
