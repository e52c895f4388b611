import {
  execute,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
  isUnionType,
  getNamedType,
  parse,
  subscribe,
  validate,
} from "graphql";
import type { GraphQLObjectType, GraphQLSchema } from "graphql";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/customer/plan.ts";
import { globalId } from "../../src/resolvers/node.ts";
import { buildSchema } from "../../src/schema/schema.ts";
import { bank, bankContext } from "../resolvers/bank.ts";

const schema = buildSchema(bank);

async function run(query: string, { count = 6, variables = {} } = {}) {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const contextValue = bankContext(count);
  const result = await execute({ schema, document, contextValue, variableValues: variables });
  return { ...result, calls: contextValue.reads.calls };
}

interface Lists {
  readonly customers: {
    readonly totalCount: number;
    readonly nodes: readonly { readonly customerId: string }[];
  };
}

/** Customer ids that a filter selects. */
async function selected(filter: string) {
  const { data, errors } = await run(`{ customers(filter: ${filter}) { totalCount nodes { customerId } } }`);
  expect(errors).toBeUndefined();
  const { totalCount, nodes } = (data as unknown as Lists).customers;
  expect(nodes).toHaveLength(totalCount);
  return nodes.map(({ customerId }) => customerId).join(" ");
}

/** Names of everything declared that nobody described. */
function bare(of: GraphQLSchema): readonly string[] {
  const found: string[] = [];
  const look = (name: string, description: string | null | undefined) => {
    if (!description?.trim()) found.push(name);
  };
  for (const type of Object.values(of.getTypeMap()).filter(({ name }) => !name.startsWith("__"))) {
    look(type.name, type.description);
    if (isEnumType(type))
      for (const value of type.getValues()) look(`${type.name}.${value.name}`, value.description);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field.description);
      for (const arg of "args" in field ? field.args : [])
        look(`${type.name}.${field.name}(${arg.name})`, arg.description);
    }
  }
  return found;
}

describe("declarations", () => {
  test("every type, field, argument, input field and enum value is described, though the pipeline describes nothing", () => {
    const silent: Plan = {
      ...bank,
      metrics: bank.metrics.map((metric) => ({ ...metric, description: "" })),
      segments: bank.segments.map((segment) => ({ ...segment, description: "" })),
    };
    expect(bare(buildSchema(silent))).toEqual([]);
  });

  test("one selection can hold every field of every member of a union", () => {
    const leaves = (type: GraphQLObjectType) =>
      Object.values(type.getFields())
        .filter(
          (field) =>
            isLeafType(getNamedType(field.type)) && field.args.every((arg) => !isNonNullType(arg.type)),
        )
        .map((field) => field.name);
    const unions = Object.values(schema.getTypeMap()).filter(isUnionType);
    expect(unions.map(({ name }) => name)).toEqual([
      "CustomerFrame",
      "SegmentFrame",
      "OfferFrame",
      "UpdateFrame",
    ]);
    for (const union of unions) {
      const members = union.getTypes().map((type) => `... on ${type.name} { ${leaves(type).join(" ")} }`);
      const probe = parse(`fragment All on ${union.name} { ${members.join(" ")} }`);
      const errors = validate(schema, probe).filter(({ message }) => !message.includes("never used"));
      expect(errors).toEqual([]);
    }
  });

  test("a pipeline of tables alone makes a schema too", () => {
    const plan = { ...bank, metrics: [], segments: [], offers: [] };
    expect(buildSchema(plan).getType("CustomerMetrics")).toBeUndefined();
  });
});

describe("answers", () => {
  test("a customer answers with the types of its columns", async () => {
    const result =
      await run(`{ customer(customerId: "000") { id customerId revision freshness { source ingested applied }
      register { id fullName birthDate createdAt riskScore tags extra }
      bankAccounts(first: 2) { totalCount nodes { id databaseId balance } edges { cursor } pageInfo { hasNextPage endCursor } }
      cardTransactions { totalCount nodes { amount } }
      metrics { spendTotal payments } tiers { engagement }
      segments { key state tier previousTier enteredAt because segment { key } }
      segment(key: "bigBalance") { state tier }
      offers(states: [TRIGGERED]) { nodes { key title state reason triggeredAt expiresAt endedAt } } } }`);
    expect(result).toMatchSnapshot();
  });

  test("a list of customers costs one read, whatever is asked of each, pages of large tables aside", async () => {
    const { calls, errors } = await run(
      `{ customers(first: 100) { nodes { register { fullName } bankAccounts { nodes { balance } } metrics { payments }
        segments { segment { key } customer { customerId } } offers { nodes { customer { customerId } title } } } } }`,
      { count: 100 },
    );
    expect(errors).toBeUndefined();
    expect(calls).toEqual(["listCustomers"]);
  });

  test("counts of all segments cost one read together", async () => {
    const { calls, data } = await run("{ segments { key tiers memberCounts { tier customers } } }");
    expect(calls).toEqual(["counts"]);
    expect(data?.segments).toEqual([
      {
        key: "engagement",
        tiers: ["LOW", "HIGH"],
        memberCounts: [
          { tier: "LOW", customers: 0 },
          { tier: "HIGH", customers: 1 },
        ],
      },
      { key: "bigBalance", tiers: ["IN"], memberCounts: [{ tier: "IN", customers: 1 }] },
    ]);
  });

  test("members of a tier page like every list", async () => {
    const query = `query ($after: Cursor) { segment(key: "engagement") { members(tier: LOW, first: 2, after: $after) {
      totalCount nodes { customer { customerId } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`;
    const members = async (after: string | null) =>
      (await run(query, { variables: { after } })).data?.segment as {
        members: { pageInfo: { endCursor: string } };
      };
    const { members: first } = await members(null);
    expect(first).toMatchObject({
      totalCount: 3,
      nodes: [{ customer: { customerId: "001" } }, { customer: { customerId: "003" } }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    expect(await members(first.pageInfo.endCursor)).toMatchObject({
      members: {
        nodes: [{ customer: { customerId: "005" } }],
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
      },
    });
  });

  test("a tier of another segment has no members", async () => {
    const { data } = await run('{ segment(key: "bigBalance") { members(tier: LOW) { totalCount } } }');
    expect(data).toEqual({ segment: { members: { totalCount: 0 } } });
  });

  test("the pipeline reports verdicts, rules and quarantine", async () => {
    const { data, errors } =
      await run(`{ pipeline { name version customers lag { behind } checkpoints { topic }
      quarantine { table code count }
      tables { name field kind verdictCounts { verdict count } rules { name action violations } conflicts lag quarantined } } }`);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      pipeline: {
        customers: "6",
        lag: null,
        checkpoints: null,
        quarantine: [{ table: "register", code: "missing-key", count: "5" }],
        tables: [
          {
            name: "register",
            kind: "ONE_ROW",
            verdictCounts: [{ verdict: "BLOCKED_BY_DELETE", count: "2" }],
            rules: [{ name: "name_present", action: "WARN", violations: "3" }],
            conflicts: "4",
            quarantined: "5",
          },
          { field: "bankAccounts", kind: "MANY_ROWS", lag: null },
          { field: "cardTransactions", kind: "PAGED" },
        ],
      },
    });
  });
});

describe("quarantine", () => {
  const nodes = "nodes { table code reason rules topic partition offset at key value valueBytes }";
  test("shows refused records with their bytes as text", async () => {
    const { data, errors } = await run(
      `{ quarantine(table: "register", first: 1) { ${nodes} pageInfo { hasNextPage } } }`,
    );
    expect(errors).toBeUndefined();
    const record = {
      ...{ table: "register", code: "unreadable", reason: "It ends early.", rules: [] },
      ...{ topic: "bank.register", partition: 0, offset: "1", at: "1970-01-01T00:00:01.000Z" },
      ...{ key: null, value: '{"id":"ü"', valueBytes: 10 },
    };
    expect(data).toEqual({ quarantine: { nodes: [record], pageInfo: { hasNextPage: true } } });
  });

  test("knows the tables there are", async () => {
    const { errors } = await run(`{ quarantine(table: "x") { ${nodes} } }`);
    expect(errors?.[0]?.message).toContain("there are: register");
  });
});

describe("node", () => {
  test.each([
    ["Customer", globalId("Customer", "001")],
    ["Segment", globalId("Segment", "engagement")],
    ["SegmentMembership", globalId("SegmentMembership", "001", "engagement")],
    ["Offer", globalId("Offer", "001", "presale")],
    ["Register", globalId("Register", "001", '["001"]')],
    ["BankAccounts", globalId("BankAccounts", "001", '["2"]')],
  ])("finds a %s by its id", async (__typename, id) => {
    const { data, errors } = await run("query ($id: ID!) { node(id: $id) { __typename id } }", {
      variables: { id },
    });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ node: { __typename, id } });
  });

  test.each([
    ["a customer there is not", globalId("Customer", "nobody")],
    ["a membership in no segment", globalId("SegmentMembership", "001", "x")],
    ["an offer never made", globalId("Offer", "001", "mortgage")],
    ["a row deleted", globalId("BankAccounts", "001", '["4"]')],
  ])("answers null for %s", async (_, id) => {
    const { data, errors } = await run("query ($id: ID!) { node(id: $id) { id } }", { variables: { id } });
    expect([data, errors]).toEqual([{ node: null }, undefined]);
  });

  test("does not know rows of paged tables", async () => {
    const id = globalId("CardTransactions", "001", '["1"]');
    const { errors } = await run("query ($id: ID!) { node(id: $id) { id } }", { variables: { id } });
    expect(errors?.[0]?.message).toContain("not a global id");
  });
});

describe("filters", () => {
  test.each([
    ["{}", "000 001 002 003 004 005"],
    ["{ segments: { engagement: HIGH } }", "000 002 004"],
    ["{ segments: { engagement: [HIGH, LOW], bigBalance: OUT } }", "001 003 005"],
    ['{ metrics: { spendTotal: { gte: "2.50", lt: 5 } } }', "002 003 004"],
    ['{ metrics: { spendTotal: { gt: "10" } } }', ""],
    ['{ register: { fullName: { in: ["Name 1", "Name 5"] } } }', "001 005"],
    ['{ register: { fullName: { contains: "me 2" } } }', "002"],
    ['{ register: { birthDate: { lt: "1990-01-02" } } }', ""],
    ['{ register: { createdAt: { eq: "2024-05-17T12:00:00.123456000+02:00" } } }', "000 001 002 003 004 005"],
    ["{ register: { riskScore: { gt: 2 } } }", "005"],
    ['{ not: { customerId: { startsWith: "00" } } }', ""],
    [
      '{ or: [{ customerId: { eq: "001" } }, { and: [{ segments: { bigBalance: IN } }, { metrics: { spendTotal: { lt: 1 } } }] }] }',
      "000 001",
    ],
    ["{ metrics: { payments: { isNull: true } } }", ""],
  ])("%s selects %s", async (filter, expected) => {
    expect(await selected(filter)).toBe(expected);
  });

  test("a tier is one of its own segment's enum", () => {
    const [error] = validate(
      schema,
      parse("{ customers(filter: { segments: { engagement: IN } }) { totalCount } }"),
    );
    expect(error?.message).toContain('"EngagementTier"');
  });

  test("an order names exactly one field", () => {
    const faults = (order: string) =>
      validate(schema, parse(`{ customers(orderBy: ${order}) { totalCount } }`)).length;
    expect(faults("{ metrics: { spendTotal: DESC } }")).toBe(0);
    expect(faults("{ metrics: { spendTotal: DESC }, customerId: ASC }")).toBe(1);
    expect(faults("{}")).toBe(1);
  });
});

describe("subscriptions", () => {
  test("a stream begins with a snapshot, in the types of its frames", async () => {
    const contextValue = bankContext(2);
    const first = async (query: string) => {
      const document = parse(query);
      expect(validate(schema, document)).toEqual([]);
      const stream = await subscribe({ schema, document, contextValue });
      if (!(Symbol.asyncIterator in stream)) return stream.errors?.map(({ message }) => message);
      const { value } = await stream.next();
      await stream.return?.();
      return value?.data;
    };
    expect(
      await first(
        'subscription { customerUpdates(customerId: "001") { __typename ... on CustomerSnapshot { complete customers { customerId } age { applied } } ... on Gap { reason } ... on Ended { reason } } }',
      ),
    ).toMatchObject({
      customerUpdates: { __typename: "CustomerSnapshot", complete: true, customers: [{ customerId: "001" }] },
    });
    expect(
      await first(
        'subscription { segmentUpdates(keys: ["bigBalance"]) { ... on SegmentSnapshot { members { key state } } } }',
      ),
    ).toMatchObject({
      segmentUpdates: { members: expect.arrayContaining([{ key: "bigBalance", state: "IN" }]) },
    });
    expect(
      await first(
        "subscription { offerUpdates(states: [EXPIRED]) { ... on OfferSnapshot { offers { key customer { customerId } } } } }",
      ),
    ).toEqual({ offerUpdates: { offers: [{ key: "mortgage", customer: { customerId: "000" } }] } });
    expect(await first('subscription { segmentUpdates(keys: ["x"]) { __typename } }')).toEqual([
      'There is no segment "x"; there are: engagement, bigBalance.',
    ]);
    expect(await first('subscription { customersUpdates(after: "x") { __typename } }')).toEqual([
      expect.stringContaining("not a cursor"),
    ]);
    await contextValue.hub.close();
  });
});
