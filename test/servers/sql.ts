import { spawn } from "node:child_process";
import type { Program } from "./binaries.ts";

/** Statements for the command line client of a database. */
export interface SqlRun {
  readonly program: Program;
  readonly args: readonly string[];
  readonly statements: string;
}

/** Runs statements and gives what the client printed. Throws what it complained about when it ends with a failure. */
export function runSql({ program, args, statements }: SqlRun): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.path, args, { env: { ...process.env, ...program.env } });
    let out = "";
    let complaint = "";
    child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => (complaint += piece.toString()));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(complaint.trim()))));
    // A client that fails early closes its input, which is not the failure to tell.
    child.stdin.on("error", () => {});
    child.stdin.end(statements);
  });
}
