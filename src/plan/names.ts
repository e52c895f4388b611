import type { Plan } from "../customer/plan.ts";

/** What GraphQL calls the parts of a pipeline. The file's own names go in; a name that is not declared is a bug. */
export interface GraphqlNames {
  /** The field on Customer and the type of its rows. */
  table(table: string): { readonly field: string; readonly type: string };
  column(table: string, column: string): string;
  metric(metric: string): string;
  /** The field in filters and in `tiers`, and the name its own enum begins with. */
  segment(segment: string): { readonly field: string; readonly type: string };
  /** The enum value of a tier. */
  tier(segment: string, tier: string): string;
  /** The field an offer is asked for by. */
  offer(offer: string): string;
}

/** A name that cannot be used: where it stands in the file, and why. */
export interface NameFault {
  readonly path: readonly string[];
  readonly text: string;
}

const CUSTOMER_FIELDS = [
  "id",
  "customerId",
  "revision",
  "freshness",
  "metrics",
  "segments",
  "segment",
  "tiers",
  "offers",
  "offer",
  "node",
];
const ROW_FIELDS = ["id"];
const FILTER_FIELDS = ["and", "or", "not", "customerId", "metrics", "segments"];
/**
 * Types the schema has whatever the pipeline says: scalars, roots, then the rest;
 * test/plan/names.test.ts compares them with it.
 */
const TYPES = [
  "String Int Float Boolean ID BigInt Decimal Double Date Time DateTime UUID JsonText Cursor",
  "Query Mutation Subscription Node PageInfo Customer CustomerMetrics CustomerTiers CustomerSegments Freshness Age",
  "Segment SegmentMembership SegmentTransition MembershipState MemberCount Offer OfferTransition OfferState Tier",
  "Pipeline PipelineTable TableKind RuleAction Verdict VerdictCount SkipCount RuleCount QuarantineCount QuarantinedRecord PartitionLag Checkpoint",
  "Snapshot Change ChangePage Gap GapReason Progress Ended EndReason UpdateFrame DeliveryMode OrderDirection",
  "CustomerSnapshot CustomerChange CustomerFrame SegmentSnapshot SegmentChange SegmentFrame OfferSnapshot OfferChange OfferFrame",
  "StreamReason TextComparison",
].flatMap((line) => line.split(" "));
/** What the schema adds to a type's name for lists, filters and orders. */
const SUFFIXES = ["", "Connection", "Edge", "Filter", "Order", "Comparison"];

const RESERVED_TYPES = new Set(TYPES.flatMap((type) => SUFFIXES.map((suffix) => type + suffix)));

/** True for the name of a type that the schema has whatever the pipeline says. */
export function isReservedType(name: string): boolean {
  return RESERVED_TYPES.has(name);
}

/** `number_of_tickets` as `numberOfTickets`. */
export function camelCase(name: string): string {
  const [head = "", ...tail] = name.split("_").filter((part) => part !== "");
  const first = /^[A-Z0-9]+$/.test(head)
    ? head.toLowerCase()
    : head.slice(0, 1).toLowerCase() + head.slice(1);
  return [first, ...tail.map(capital)].join("");
}

/** `card_transactions` as `CardTransactions`. */
export function typeName(name: string): string {
  return capital(camelCase(name));
}

/** `id` in GraphQL is a row's global id, so a column of that name is called otherwise. */
function columnName(name: string): string {
  const made = camelCase(name);
  return made === "id" ? "databaseId" : made;
}

function capital(part: string): string {
  const rest = /^[A-Z0-9]+$/.test(part) ? part.slice(1).toLowerCase() : part.slice(1);
  return part.slice(0, 1).toUpperCase() + rest;
}

/** The names of a plan, as `loadPlan` checked them. */
export function graphqlNames(plan: Plan): GraphqlNames {
  const tables = new Map(
    plan.tables.map((table) => {
      const columns = new Map(
        table.columns.map((column) => [column.name, column.as ?? columnName(column.name)]),
      );
      return [
        table.name,
        { field: camelCase(table.name), type: table.typeName ?? typeName(table.name), columns },
      ];
    }),
  );
  const declared = <T>(found: T | undefined, name: string): T => {
    if (found === undefined) throw new Error(`"${name}" is not declared in the pipeline`);
    return found;
  };
  return {
    table: (table) => declared(tables.get(table), table),
    column: (table, column) => declared(tables.get(table)?.columns.get(column), `${table}.${column}`),
    metric: camelCase,
    segment: (segment) => ({ field: camelCase(segment), type: capital(camelCase(segment)) }),
    tier: (_segment, tier) => tier.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase(),
    offer: camelCase,
  };
}

/** Names that clash with each other or with what the schema already has. */
export function nameFaults(plan: Plan): readonly NameFault[] {
  const names = graphqlNames(plan);
  const faults: NameFault[] = [];
  const customer = new Space("a field of Customer", CUSTOMER_FIELDS, faults);
  const filter = new Space("a field of CustomerFilter", FILTER_FIELDS, faults);
  const types = new Space("a type", [...RESERVED_TYPES], faults);
  for (const table of plan.tables) {
    const { field, type } = names.table(table.name);
    const path = ["tables", table.name];
    customer.take(field, path);
    filter.take(field, path);
    for (const suffix of SUFFIXES)
      types.take(type + suffix, table.typeName === undefined ? path : [...path, "type"]);
    const row = new Space(`a field of ${type}`, ROW_FIELDS, faults);
    for (const column of table.columns) {
      const at = [...path, "columns", column.name];
      row.take(names.column(table.name, column.name), column.as === undefined ? at : [...at, "as"]);
    }
  }
  const metrics = new Space("a metric", [], faults);
  for (const { name } of plan.metrics) metrics.take(names.metric(name), ["metrics", name]);
  const segments = new Space("a segment", [], faults);
  for (const segment of plan.segments) {
    const { field, type } = names.segment(segment.name);
    segments.take(field, ["segments", segment.name]);
    types.take(`${type}Tier`, ["segments", segment.name]);
    const tiers = new Space(`a tier of ${segment.name}`, [], faults);
    for (const tier of segment.tiers)
      tiers.take(names.tier(segment.name, tier.name), ["segments", segment.name, "tiers", tier.name]);
  }
  const offers = new Space("an offer", [], faults);
  for (const { name } of plan.offers) offers.take(names.offer(name), ["offers", name]);
  return faults;
}

/** Names of one kind, each used once. */
class Space {
  readonly #kind: string;
  readonly #taken = new Map<string, string>();
  readonly #faults: NameFault[];
  constructor(kind: string, reserved: readonly string[], faults: NameFault[]) {
    this.#kind = kind;
    this.#faults = faults;
    for (const name of reserved) this.#taken.set(name, "the schema itself");
  }
  /** Takes a name; false, with a fault, when it is none or taken. */
  take(name: string, path: readonly string[]): boolean {
    const fault = (text: string): boolean => this.#faults.push({ path, text }) < 0;
    const other = this.#taken.get(name);
    if (name === "" || /^(__|[0-9])/.test(name))
      return fault(`"${path.at(-1) ?? ""}" gives no name for ${this.#kind} in GraphQL`);
    if (other !== undefined)
      return fault(`in GraphQL this is ${this.#kind} called "${name}", which is taken by ${other}`);
    this.#taken.set(name, `"${path.join(".")}"`);
    return true;
  }
}
