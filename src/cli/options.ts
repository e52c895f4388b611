import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvalidArgumentError, Option } from "commander";
import { readSettings, SETTINGS, type Setting } from "../config.ts";
import type { Plan } from "../customer/plan.ts";
import { Customer360Error } from "../errors.ts";
import { loadPlan } from "../plan/load.ts";

/** The pipeline that comes with the package. */
export const BANKING = fileURLToPath(new URL("../../pipelines/banking.yaml", import.meta.url));

/** The option of a setting, described as in the documentation. */
export function settingOption(env: Setting["env"], flags: string): Option {
  const setting = SETTINGS.find((candidate) => candidate.env === env);
  if (setting === undefined) throw new Error(`no setting ${env}`);
  const fallback = setting.fallback === null ? "" : `, default ${setting.fallback}`;
  return new Option(flags, `${setting.about} (or ${env}${fallback})`);
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It has to be a whole number of at least ${least}.`);
    }
    return value;
  };
}

/**
 * The pipeline file a command was given, as an argument, by its option or PIPELINE.
 * Throws SETTINGS_INVALID for none, or for two.
 */
export function pipelineFile(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined && argument !== option) {
    throw new Customer360Error("SETTINGS_INVALID", `two pipeline files are given: ${argument} and ${option}`);
  }
  const file = argument ?? option ?? readSettings().pipeline;
  if (file === null) {
    throw new Customer360Error(
      "SETTINGS_INVALID",
      "no pipeline file: name it as an argument, by --pipeline or PIPELINE",
    );
  }
  return file;
}

/** Reads and compiles a pipeline file. Throws PIPELINE_INVALID with every fault, or when it cannot be read. */
export function readPlan(path: string): Plan {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Customer360Error("PIPELINE_INVALID", `the pipeline file ${path} cannot be read`, {
      cause: error,
    });
  }
  return loadPlan(text, path);
}
