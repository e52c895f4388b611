import { getNullableType, GraphQLString, isObjectType } from "graphql";
import type { GraphQLSchema } from "graphql";

/** An operation to begin with, as a tab of GraphiQL. */
export interface SampleOperation {
  readonly query: string;
  readonly variables?: string;
}

/** No line is wider than the editor beside the docs: what is long goes down, not across. */
const FRAMES = `
    ... on Gap { missed reason cursor }
    ... on Progress { cursor }
    ... on Ended { reason retryable resume }`;

const AGE = "age { source ingested applied sent }";

const CUSTOMER = `
fragment Who on Customer {
  id
  customerId
  revision
  segments(states: [IN]) { key tier }
  offers(states: [TRIGGERED]) {
    nodes { key title reason }
  }
}`;

/** Ready-made operations that work on any pipeline: beside a few of its metrics they use only what every schema has. */
export function sampleOperations(schema: GraphQLSchema): readonly SampleOperation[] {
  return [customers(schema), ...STREAMS];
}

/** Enough to show what a metric is. */
const MOST_METRICS = 6;

/** Enough to tell customers apart: a name, an address, a city. */
const MOST_COLUMNS = 3;

function customers(schema: GraphQLSchema): SampleOperation {
  return {
    query: `# Customers, with what is derived from their rows.
# Every declared column and metric is a field: see the docs.
query Customers {
  customers(first: 10) {
    totalCount
    nodes {
      customerId
      revision${who(schema)}${metrics(schema)}
      segments { key state tier because }
      offers {
        nodes { key title state reason expiresAt }
      }
      freshness { source applied }
    }
    pageInfo { hasNextPage endCursor }
    liveCursor
  }
}
`,
  };
}

function metrics(schema: GraphQLSchema): string {
  const type = schema.getType("CustomerMetrics");
  return isObjectType(type) ? selection("metrics", Object.keys(type.getFields()).slice(0, MOST_METRICS)) : "";
}

/** What the first table that has one row per customer, and texts in it, tells of a customer. */
function who(schema: GraphQLSchema): string {
  const type = schema.getType("Customer");
  if (!isObjectType(type)) return "";
  for (const { name, type: given, args } of Object.values(type.getFields())) {
    const row = getNullableType(given);
    if (args.length > 0 || !isObjectType(row) || row.getInterfaces().length === 0) continue;
    const texts = Object.values(row.getFields()).filter(
      (column) => getNullableType(column.type) === GraphQLString,
    );
    if (texts.length > 0)
      return selection(
        name,
        texts.slice(0, MOST_COLUMNS).map((column) => column.name),
      );
  }
  return "";
}

function selection(name: string, fields: readonly string[]): string {
  if (fields.length === 0) return "";
  return ["", `${name} {`, ...fields.map((field) => `  ${field}`), "}"].join("\n      ");
}

const STREAMS: readonly SampleOperation[] = [
  {
    query: `# One customer, live: a snapshot, then every change.
# Take a customerId from the first tab.
subscription CustomerUpdates($customerId: ID!) {
  customerUpdates(customerId: $customerId) {
    __typename
    ... on CustomerSnapshot {
      customers { ...Who }
      complete
      ${AGE}
      cursor
    }
    ... on CustomerChange {
      revision
      changed
      customer { ...Who }
      ${AGE}
      cursor
    }${FRAMES}
  }
}
${CUSTOMER.trim()}
`,
    variables: '{ "customerId": "1" }',
  },
  {
    query: `# Everybody, live. Stop it, and go on where it stopped:
# put the last cursor it showed into the variables.
subscription Resume($after: Cursor) {
  customersUpdates(after: $after) {
    __typename
    ... on CustomerSnapshot {
      customers { customerId revision }
      complete
      cursor
    }
    ... on CustomerChange {
      customer { customerId }
      revision
      changed
      cursor
    }${FRAMES}
  }
}
`,
    variables: '{ "after": null }',
  },
  {
    query: `# Who is in which segment.
query Segments {
  segments {
    key
    description
    memberCounts { tier customers }
    members(first: 5) {
      nodes {
        tier
        because
        enteredAt
        customer { customerId }
      }
    }
  }
}
`,
  },
  {
    query: `# Offers, the moment they are earned or lost.
subscription Offers {
  offerUpdates(mode: EVERY) {
    __typename
    ... on OfferSnapshot {
      offers { key state reason customer { customerId } }
      complete
      cursor
    }
    ... on OfferChange {
      customer { customerId }
      transitions {
        key
        from
        to
        offer { reason expiresAt }
      }
      ${AGE}
      cursor
    }${FRAMES}
  }
}
`,
  },
  {
    query: `# What is read, how far behind it is,
# and what became of every record.
query Pipeline {
  pipeline {
    name
    version
    customers
    tables {
      name
      kind
      topics
      lag
      conflicts
      quarantined
      verdictCounts { verdict count }
      rules { name action violations }
    }
    quarantine { table code count }
    checkpoints { topic partition nextOffset }
  }
}
`,
  },
];
