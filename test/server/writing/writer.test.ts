import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema as buildSdl, execute, getOperationAST, parse } from "graphql";
import type { DocumentNode, GraphQLResolveInfo, GraphQLSchema, OperationDefinitionNode } from "graphql";
import { describe, expect, it } from "vitest";
import { loadPlan } from "../../../src/plan/load.ts";
import { buildSchema } from "../../../src/schema/schema.ts";
import { createWriter } from "../../../src/server/writing/writer.ts";
import { randomCustomers } from "../../helpers/random-customers.ts";
import { pick, randomOf, randomOperation } from "../../helpers/random-operations.ts";
import type { Random, RandomOperation } from "../../helpers/random-operations.ts";
import { bankContext, recordingReads } from "../../resolvers/bank.ts";

const pipeline = join(import.meta.dirname, "../../../pipelines/banking.yaml");
const plan = loadPlan(readFileSync(pipeline, "utf8"), pipeline);
const schema = buildSchema(plan);
const texts = {
  customerId: ["1", "2", "nobody"],
  id: ["nonsense", "Q3VzdG9tZXI6MQ"],
  key: plan.segments.map(({ name }) => name),
  keys: plan.segments.map(({ name }) => name),
  offerKeys: plan.offers.map(({ name }) => name),
};

function definitionOf(document: DocumentNode): OperationDefinitionNode {
  const definition = getOperationAST(document);
  if (!definition) throw new Error("there is no operation");
  return definition;
}

/** Both ways to an answer: the writer's, and the one it has to equal, with whether that tells of errors. */
async function bothWays(
  of: GraphQLSchema,
  { document, variables }: RandomOperation,
  root: unknown,
  context: object,
) {
  const definition = definitionOf(document);
  const executed = await execute({
    schema: of,
    document,
    variableValues: variables,
    rootValue: root,
    contextValue: context,
  });
  const writer = createWriter(of);
  const asked = { document, definition, variables, root, context };
  const first = await writer.write(asked);
  // The second time it is compiled already.
  expect(await writer.write(asked)).toBe(first);
  return { written: first, expected: JSON.stringify(executed), failed: executed.errors !== undefined };
}

const FRAMES = {
  customerUpdates: "customers",
  customersUpdates: "customers",
  segmentUpdates: "segments",
  offerUpdates: "offers",
} as const;

type RootField = keyof typeof FRAMES;

/** Data and what is sent of it, for random operations: each with several. */
function roundOf(kind: "query" | "subscription", random: Random) {
  const root = kind === "query" ? schema.getQueryType() : schema.getSubscriptionType();
  if (!root) throw new Error(`there is no ${kind}`);
  const operation = randomOperation({ schema, random, root, kind, texts });
  const field = definitionOf(operation.document).selectionSet.selections[0];
  const name = field?.kind === "Field" ? field.name.value : "";
  const cases = Array.from({ length: kind === "query" ? 2 : 8 }, () => {
    const { customer, frame } = randomCustomers(plan, random, pick(random, [0, 0, 0.2]));
    const reads = recordingReads(["1", "2", "3"].map(customer));
    const context = { ...bankContext(0), plan, reads };
    return { context, root: kind === "query" ? undefined : frame(FRAMES[name as RootField]) };
  });
  return { operation, cases };
}

describe("what is written is what graphql-js executes, byte by byte", () => {
  it.each([
    ["subscription", 2],
    ["query", 3],
  ] as const)(
    "for a random %s over the banking schema, unless that has errors (seed %i)",
    async (kind, seed) => {
      const random = randomOf(seed);
      const count = { written: 0, failed: 0, characters: 0 };
      for (let round = 0; round < 50; round += 1) {
        const { operation, cases } = roundOf(kind, random);
        for (const { context, root } of cases) {
          await context.hub.start();
          const { written, expected, failed } = await bothWays(schema, operation, root, context);
          await context.hub.close();
          expect(written, operation.text).toBe(failed ? null : expected);
          count[failed ? "failed" : "written"] += 1;
          count.characters += written?.length ?? 0;
        }
      }
      expect(count.failed).toBeGreaterThan(0);
      expect(count.written).toBeGreaterThan(50);
      expect(count.characters / count.written).toBeGreaterThan(150);
    },
  );

  const later = async <T>(value: T): Promise<T> => value;
  const thing = { __typename: "Thing", name: "one", ratio: Number.NaN };
  it.each([
    ["a promise in a list", "{ texts }", { texts: [later("a"), "b", later(null)] }],
    ["a list of promises of objects", "{ things { name } }", { things: () => later([later(thing), thing]) }],
    ["something that is only like a promise", "{ text }", { text: promiseLike("x") }],
    ["a function as a value", "{ text }", { text: () => "called" }],
    ["a number that is none", "{ any }", { any: Number.NaN }],
    ["an object as a leaf", "{ any }", { any: { a: [1, { b: new Date(0) }], c: undefined } }],
    ["a name as in every object", "{ __proto__: text constructor: text toJSON: text }", { text: "x" }],
    [
      "an abstract type",
      "{ being { __typename ... on Thing { name } ... on Other { text } } }",
      { being: thing },
    ],
    ["nothing", "{ text texts things { name } being { __typename } any }", {}],
    ["an empty list", "{ texts things { name } }", { texts: [], things: [] }],
    ["only what never differs", "{ a: __typename b: __typename }", {}],
    ["nothing selected", "{ thing { name @skip(if: true) } }", { thing }],
  ])("for %s", async (_, query, root) => {
    const { written, expected, failed } = await bothWays(small, operationOf(query), root, {});
    expect(failed).toBe(false);
    expect(written).toBe(expected);
  });

  it.each([
    ["a thrown error", "{ text thing { name } }", { text: () => fail("no"), thing }],
    ["a rejection", "{ text thing { name } }", { text: rejected, thing: () => later(thing) }],
    ["an error as a value", "{ text }", { text: new Error("no") }],
    ["an error in a list", "{ texts }", { texts: () => ["a", new Error("no"), rejected()] }],
    ["an error behind a rejection", "{ texts text }", { texts: () => [rejected()], text: () => fail("no") }],
    ["null where none may be", "{ thing { sure } }", { thing }],
    ["null in a list where none may be", "{ sures }", { sures: ["a", null] }],
    ["what is no list", "{ texts }", { texts: "abc" }],
    ["what a scalar refuses", "{ number }", { number: "many" }],
    ["an unknown type", "{ being { __typename } }", { being: { __typename: "Nobody" } }],
    ["a type that is none of those possible", "{ being { __typename } }", { being: { __typename: "Query" } }],
  ])("but leaves %s to it", async (_, query, root) => {
    const { written, failed } = await bothWays(small, operationOf(query), root, {});
    expect(failed).toBe(true);
    expect(written).toBeNull();
  });

  it.each([
    ["introspection", "{ text __schema { queryType { name } } }"],
    ["a resolver that looks at its fourth argument", "{ path }"],
    ["a mutation", "mutation { touch }"],
    ["a set as a list", "{ texts }"],
  ])("and leaves %s to it as well", async (_, query) => {
    const root = {
      texts: new Set(["a"]),
      path: (_args: object, _context: object, info: GraphQLResolveInfo) => info.path.key,
    };
    const { written, failed } = await bothWays(small, operationOf(query), root, {});
    expect(failed).toBe(false);
    expect(written).toBeNull();
  });

  it("leaves variables that do not fit to it, and more ways to include parts than are worth compiling", async () => {
    const query =
      "query ($a: Boolean!, $b: Boolean = true, $c: Int) { text @include(if: $a) number(of: $c) any @skip(if: $b) }";
    expect((await bothWays(small, operationOf(query, { a: null }), {}, {})).failed).toBe(true);
    const writer = createWriter(small);
    const { document } = operationOf(
      `query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) {
         a: text @include(if: $a) b: text @include(if: $b) c: text @include(if: $c) d: text @include(if: $d) }`,
    );
    let written = 0;
    for (let way = 0; way < 16; way += 1) {
      const variables = { a: !!(way & 1), b: !!(way & 2), c: !!(way & 4), d: !!(way & 8) };
      const asked = { document, definition: definitionOf(document), variables, root: {}, context: {} };
      const text = await writer.write(asked);
      if (text === null) continue;
      written += 1;
      expect(text).toBe(
        JSON.stringify(await execute({ schema: small, document, variableValues: variables, rootValue: {} })),
      );
    }
    expect(written).toBe(8);
  });
});

const small = buildSdl(`
  scalar Any
  type Thing { name: String ratio: Any sure: String! }
  type Other { text: String }
  union Being = Thing | Other
  type Query {
    text: String
    number(of: Int): Int
    texts: [String]
    sures: [String!]
    thing: Thing
    things: [Thing]
    being: Being
    any: Any
    path: String
  }
  type Mutation { touch: Int }
`);

function operationOf(text: string, variables: RandomOperation["variables"] = {}): RandomOperation {
  return { text, document: parse(text), variables };
}

function promiseLike(value: unknown): object {
  const like = {};
  Reflect.set(like, "then", (take: (taken: unknown) => void) => take(value));
  return like;
}

async function rejected(): Promise<never> {
  throw new Error("no");
}

function fail(words: string): never {
  throw new Error(words);
}
