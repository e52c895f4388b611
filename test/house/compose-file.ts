import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** Top of the repository. */
export const ROOT = join(import.meta.dirname, "../..");

const healthcheck = z.strictObject({
  disable: z.boolean().optional(),
  test: z
    .tuple([z.literal("CMD"), z.string()])
    .rest(z.string())
    .optional(),
  interval: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  timeout: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  retries: z.int().optional(),
  start_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
});
const condition = z.enum(["service_started", "service_healthy", "service_completed_successfully"]);

/** Of the Compose Specification what our file uses; every other key is a fault, as a misspelt one would be. */
const service = z
  .strictObject({
    image: z.string(),
    build: z.string().optional(),
    pull_policy: z.enum(["always", "never", "missing", "build"]).optional(),
    restart: z.enum(["no", "always", "on-failure", "unless-stopped"]),
    stop_grace_period: z
      .string()
      .regex(/^\d+s$/)
      .optional(),
    entrypoint: z.array(z.string()).optional(),
    command: z.array(z.string()).optional(),
    // Numbers and booleans would be written as YAML likes; text is what a process gets.
    environment: z.record(z.string(), z.string()).optional(),
    ports: z.array(z.string()).optional(),
    volumes: z.array(z.string()).optional(),
    healthcheck: healthcheck.optional(),
    depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  })
  .readonly();

const compose = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  services: z.record(z.string().regex(/^[a-zA-Z0-9._-]+$/), service),
  volumes: z.record(z.string(), z.null()),
});

/** A service of docker-compose.yml. */
export type ComposeService = z.infer<typeof service>;

/** What docker-compose.yml says when the environment says nothing: anchors merged, variables replaced by their defaults. */
export function readCompose(): z.infer<typeof compose> {
  const text = readFileSync(join(ROOT, "docker-compose.yml"), "utf8");
  const plain = text.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
  if (plain.includes("$")) throw new Error("a dollar that is no variable with a default");
  const file = parse(plain, { merge: true }) as Record<string, unknown>;
  const kept = Object.entries(file).filter(([key]) => !key.startsWith("x-"));
  return compose.parse(Object.fromEntries(kept));
}
