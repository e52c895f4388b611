/** A customer as the API shows it at the end. */
export interface AuditedCustomer {
  readonly customerId: string;
  readonly revision: number;
  readonly score: number | null;
  readonly spend: string | null;
  readonly count: number | null;
  /** Cents by payment id. */
  readonly payments: ReadonlyMap<string, number>;
}

/** What the program says it did. */
export interface Audit {
  readonly customers: ReadonlyMap<string, AuditedCustomer>;
  /** Records told of, by table: verdicts, skips and quarantine, all counted. */
  readonly counted: ReadonlyMap<string, number>;
  /** `topic/partition/offset` of each quarantined record, as often as it is listed. */
  readonly quarantined: readonly string[];
}

const PAYMENTS = `payments(first: 200, after: $rows) {
  nodes { databaseId amount }
  pageInfo { hasNextPage endCursor }
}`;
const CUSTOMER = `customerId revision people { score } metrics { spend payments } ${PAYMENTS}`;

interface RowPage {
  readonly nodes: readonly { readonly databaseId: string; readonly amount: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

interface Node {
  readonly customerId: string;
  readonly revision: number;
  readonly people: { readonly score: number | null } | null;
  readonly metrics: { readonly spend: string | null; readonly payments: number | null };
  readonly payments: RowPage;
}

/** Asks the API once. Throws what it objects to. */
export async function ask<T>(url: string, query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { readonly data?: T; readonly errors?: unknown };
  if (answer.data === undefined || answer.errors !== undefined) throw new Error(JSON.stringify(answer));
  return answer.data;
}

function cents(amount: string): number {
  return Number(amount.replace(".", ""));
}

async function paymentsOf(url: string, node: Node): Promise<ReadonlyMap<string, number>> {
  const payments = new Map<string, number>();
  for (let page = node.payments; ;) {
    for (const { databaseId, amount } of page.nodes) {
      if (payments.has(databaseId)) throw new Error(`payment ${databaseId} is listed twice`);
      payments.set(databaseId, cents(amount));
    }
    if (!page.pageInfo.hasNextPage) return payments;
    const query = `query ($id: ID!, $rows: Cursor) { customer(customerId: $id) { ${PAYMENTS} } }`;
    const variables = { id: node.customerId, rows: page.pageInfo.endCursor };
    page = (await ask<{ customer: { payments: RowPage } }>(url, query, variables)).customer.payments;
  }
}

async function customersOf(url: string): Promise<ReadonlyMap<string, AuditedCustomer>> {
  const customers = new Map<string, AuditedCustomer>();
  const query = `query ($after: Cursor, $rows: Cursor) {
    customers(first: 100, after: $after) { nodes { ${CUSTOMER} } pageInfo { hasNextPage endCursor } }
  }`;
  for (let after: string | null = null; ;) {
    type Page = { nodes: readonly Node[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    const { nodes, pageInfo }: Page = (await ask<{ customers: Page }>(url, query, { after })).customers;
    for (const node of nodes) {
      const { customerId, revision, people, metrics } = node;
      const { spend, payments: count } = metrics;
      const payments = await paymentsOf(url, node);
      customers.set(customerId, {
        customerId,
        revision,
        score: people?.score ?? null,
        spend,
        count,
        payments,
      });
    }
    if (!pageInfo.hasNextPage) return customers;
    after = pageInfo.endCursor;
  }
}

async function quarantineOf(url: string): Promise<readonly string[]> {
  const places: string[] = [];
  const query = `query ($after: Cursor) {
    quarantine(first: 200, after: $after) {
      nodes { topic partition offset }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  for (let after: string | null = null; ;) {
    type Page = {
      nodes: readonly { topic: string; partition: number; offset: string }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
    const { nodes, pageInfo }: Page = (await ask<{ quarantine: Page }>(url, query, { after })).quarantine;
    places.push(...nodes.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`));
    if (!pageInfo.hasNextPage) return places;
    after = pageInfo.endCursor;
  }
}

interface Table {
  readonly name: string;
  readonly quarantined: string;
  readonly verdictCounts: readonly { readonly count: string }[];
  readonly skipCounts: readonly { readonly count: string }[];
}

/** Reads everything there is over GraphQL. */
export async function audit(url: string): Promise<Audit> {
  const query = `{ pipeline { tables { name quarantined verdictCounts { count } skipCounts { count } } } }`;
  const { pipeline } = await ask<{ pipeline: { tables: readonly Table[] } }>(url, query);
  const sum = (counts: readonly { readonly count: string }[]) =>
    counts.reduce((total, { count }) => total + Number(count), 0);
  const counted = new Map<string, number>();
  for (const { name, quarantined, verdictCounts, skipCounts } of pipeline.tables) {
    counted.set(name, Number(quarantined) + sum(verdictCounts) + sum(skipCounts));
  }
  return { customers: await customersOf(url), counted, quarantined: await quarantineOf(url) };
}
