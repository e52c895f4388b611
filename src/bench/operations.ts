/** Twenty fields of a customer; every measure that serves asks for the same. */
const CUSTOMER_FIELDS = `
  customerId revision
  freshness { source ingested }
  metrics { spend travel payments }
  tiers { spending }
  profiles { databaseId fullName email city street phone occupation income children newsletter note updatedAt }`;

/** One customer. */
export const ONE_CUSTOMER = `query One($id: ID!) { customer(customerId: $id) { ${CUSTOMER_FIELDS} } }`;

/** A page of a hundred customers. */
export const HUNDRED_CUSTOMERS = `query Hundred { customers(first: 100) { nodes { ${CUSTOMER_FIELDS} } } }`;

/** Every change of one customer, with its cursor. */
export const FOLLOW_CUSTOMER = follow("cursor");

/** The same, with the clocks each change passed on its way. */
export const FOLLOW_CUSTOMER_AND_CLOCKS = follow("cursor age { applied sent }");

function follow(told: string): string {
  return `subscription Follow($id: ID!) {
  customerUpdates(customerId: $id, mode: EVERY) {
    __typename
    ... on CustomerSnapshot { cursor customers { customerId } }
    ... on CustomerChange { ${told} customer { ${CUSTOMER_FIELDS} } }
  }
}`;
}
