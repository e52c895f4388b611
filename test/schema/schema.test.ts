import {
  execute,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  validate,
} from "graphql";
import { describe, expect, test } from "vitest";
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

describe("descriptions", () => {
  test("every type, field, argument, input field and enum value has one", () => {
    const bare: string[] = [];
    const look = (name: string, description: string | null | undefined) => {
      if (!description?.trim()) bare.push(name);
    };
    for (const type of Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"))) {
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
    expect(bare).toEqual([]);
  });
});

test("a customer answers with the types of its columns", async () => {
  const result =
    await run(`{ customer(customerId: "000") { id customerId revision freshness { source ingested applied }
    register { id fullName birthDate createdAt riskScore tags extra }
    bankAccounts(first: 2) { totalCount nodes { id balance } edges { cursor } pageInfo { hasNextPage endCursor } }
    cardTransactions { totalCount nodes { amount } }
    metrics { spendTotal payments } tiers { engagement }
    segments { key state tier previousTier enteredAt because segment { key } }
    segment(key: "bigBalance") { state tier }
    offers(states: [TRIGGERED]) { nodes { key title state reason triggeredAt expiresAt endedAt } } } }`);
  expect(result).toMatchSnapshot();
});
