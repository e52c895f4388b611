import { afterEach, expect, it } from "vitest";
import type { ExecutionResult } from "graphql";
import { silentLog } from "../../src/log.ts";
import type { Viewer } from "../../src/resolvers/context.ts";
import type { Payload, Payloads } from "../../src/server/writing/answers.ts";
import { createMask } from "../../src/server/masking.ts";
import { createExecution, isOperation, isPayloads } from "../../src/server/shared-execution.ts";
import { settle } from "../helpers/manual-clock.ts";
import { world } from "../updates/world.ts";
import { smallSchema } from "./serving.ts";

const around = world();
afterEach(async () => around.close());

const query = `subscription ($all: Boolean! = true, $from: String) {
  customerUpdates(customerId: "ann", after: $from) { kind revision @include(if: $all) executed } }`;

it("shares an answer exactly between those who ask the same with equal rights", async () => {
  const count = { executions: 0, pad: "" };
  // One context for all viewers: frames are then the same objects, so that nothing but the execution keeps scopes apart.
  const execution = createExecution({
    schema: smallSchema(count),
    contextFor: () => around.context,
    mask: createMask(silentLog),
  });
  const begin = async (viewer: Viewer, variables: Record<string, unknown>): Promise<Payloads> => {
    const operation = execution.prepare({ query, variables });
    if (!isOperation(operation)) throw new Error(operation[0]?.message);
    const result: Payloads | ExecutionResult = await execution.subscribe(operation, viewer);
    if (!isPayloads(result)) throw new Error(result.errors?.[0]?.message);
    return result;
  };
  const [one, two] = [
    { id: "1", scope: "all" },
    { id: "2", scope: "less" },
  ];
  const first = await begin(one, {});
  await first.next();
  const from = around.context.cursors.sign(
    { at: around.context.hub.place().at, page: null, floors: null, afterLoss: false },
    { scope: "everything", watch: { field: "customerUpdates", customerId: "ann" } },
  );
  const others = [
    await begin({ ...one, id: "3" }, { from }),
    await begin(one, { all: false, from }),
    await begin(two, { from }),
  ];
  const pending = Promise.all([first, ...others].map((each) => each.next()));
  await settle();
  await around.change("ann");
  const [a, b, c, d] = (await pending).map((result): Payload | undefined => result.value);
  expect(a?.text).toContain('"revision":1');
  expect(b).toBe(a);
  expect(c?.text).not.toContain("revision");
  expect(d).not.toBe(a);
  expect(d?.text).not.toBe(a?.text);
  for (const each of [first, ...others]) await each.return();
  expect(around.context.hub.size()).toBe(0);
});
