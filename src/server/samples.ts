import { isObjectType } from "graphql";
import type { GraphQLSchema } from "graphql";

/** An operation to begin with, as a tab of GraphiQL. */
export interface SampleOperation {
  readonly query: string;
  readonly variables?: string;
}

const AGE = "age { source ingested applied sent }";

const FRAMES = `
    ... on Gap { cursor missed reason }
    ... on Progress { cursor }
    ... on Ended { resume reason retryable }`;

const CUSTOMER = `
fragment Who on Customer {
  id
  customerId
  revision
  segments(states: [IN]) { key tier }
  offers(states: [TRIGGERED]) { nodes { key title reason } }
}`;

/** Ready-made operations that work on any pipeline: beside a few of its metrics they use only what every schema has. */
export function sampleOperations(schema: GraphQLSchema): readonly SampleOperation[] {
  return [customers(schema), ...STREAMS];
}

/** Enough to show what a metric is. */
const MOST_METRICS = 6;

function customers(schema: GraphQLSchema): SampleOperation {
  const type = schema.getType("CustomerMetrics");
  const metrics = isObjectType(type) ? Object.keys(type.getFields()).slice(0, MOST_METRICS) : [];
  const selection = metrics.length === 0 ? "" : `\n      metrics { ${metrics.join(" ")} }`;
  return {
    query: `# Customers, with what is derived from their rows.
# Every declared column and metric is a field: see the docs.
query Customers {
  customers(first: 10) {
    totalCount
    liveCursor
    nodes {
      customerId
      revision
      freshness { source applied }${selection}
      segments { key state tier because }
      offers { nodes { key title state reason expiresAt } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  };
}

const STREAMS: readonly SampleOperation[] = [
  {
    query: `# One customer, live: a snapshot, then every change.
# Take a customerId from the first tab.
subscription CustomerUpdates($customerId: ID!) {
  customerUpdates(customerId: $customerId) {
    __typename
    ... on CustomerSnapshot { cursor complete customers { ...Who } ${AGE} }
    ... on CustomerChange { cursor revision changed customer { ...Who } ${AGE} }${FRAMES}
  }
}
${CUSTOMER.trim()}
`,
    variables: '{ "customerId": "1" }',
  },
  {
    query: `# Everybody, live. Stop it, and go on exactly where it stopped:
# put the last cursor it showed into the variables.
subscription Resume($after: Cursor) {
  customersUpdates(after: $after) {
    __typename
    ... on CustomerSnapshot { cursor complete customers { customerId revision } }
    ... on CustomerChange { cursor revision changed customer { customerId } }${FRAMES}
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
    members(first: 5) { nodes { tier because enteredAt customer { customerId } } }
  }
}
`,
  },
  {
    query: `# Offers, the moment they are earned or lost.
subscription Offers {
  offerUpdates(mode: EVERY) {
    __typename
    ... on OfferSnapshot { cursor complete offers { key state reason customer { customerId } } }
    ... on OfferChange { cursor transitions { key from to offer { reason expiresAt } } customer { customerId } ${AGE} }${FRAMES}
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
