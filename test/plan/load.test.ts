import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Scope } from "../../src/customer/plan.ts";
import { codeOf } from "../../src/errors.ts";
import { loadPlan } from "../../src/plan/load.ts";

const banking = readFileSync("pipelines/banking.yaml", "utf8");

/** A small sound pipeline; tests spoil one thing in it. */
const SMALL = `name: shop
tables:
  people:
    topics: [people]
    key: [id]
    customer: id
    rows: one
    columns:
      id: { type: bigint }
      born: { type: date }
      visits: { type: int }
      score: { type: float }
      tags: { type: text, list: true }
      seen: { type: timestamp }
  orders:
    topics: [orders]
    key: [id]
    customer: person
    rows: many
    columns:
      id: { type: bigint }
      person: { type: bigint }
      kind: { type: text }
      total: { type: decimal, scale: 2 }
      paid: { type: boolean }
    expect:
      has_total: { that: 'row.total != null', else: warn }
settings:
  big: { type: decimal, value: 100, description: What counts as big. }
metrics:
  spend: { table: orders, sum: total, where: 'row.total >= settings.big' }
  double: { expression: 'metrics.spend * 2', type: decimal, scale: 2 }
segments:
  size: { tiers: { BIG: 'metrics.spend > 1000' }, otherwise: SMALL }
  regular: { when: 'people.visits > 3' }
offers:
  hello:
    title: Hello
    trigger: { when: 'segments.size == "BIG"' }
    expiresAfter: 2h
    reason: 'Spent {metrics.spend}.'
`;

function faultsOf(text: string): string {
  try {
    loadPlan(text, "shop.yaml");
    return "none";
  } catch (error) {
    expect(codeOf(error)).toBe("PIPELINE_INVALID");
    return error instanceof Error ? error.message : "";
  }
}

/** Where the n-th occurrence of a text stands, as the faults say it. */
function placeOf(text: string, wanted: string): string {
  const at = text.indexOf(wanted);
  if (at < 0) throw new Error(`${wanted} is not there`);
  const before = text.slice(0, at).split("\n");
  return `shop.yaml:${before.length}:${(before.at(-1)?.length ?? 0) + 1} `;
}

/** [what is replaced, by what, where the fault is reported, what it says] */
const SPOILED: readonly (readonly [string, string, string, string])[] = [
  ["rows: one", "rowz: one", "rowz", 'unknown key "rowz": did you mean "rows"?'],
  ["rows: one", "rows: few", "few", '"few" is not possible for "rows"; there is one, many'],
  [
    "    topics: [orders]\n",
    "",
    "orders:",
    '"topics" is missing. The topics whose records are changes of this table. A name, or a regular expression between slashes that matches whole names.',
  ],
  ["type: float", "type: flaot", "flaot", '"flaot" is not possible for "type": did you mean "float"?'],
  ["name: shop", "name: shop\nname: twice", "name: twice", '"name" is given twice'],
  ["score:", "__proto__:", "__proto__", '"__proto__" is reserved'],
  ["score:", "constructor:", "constructor", '"constructor" is reserved'],
  ["score:", "isPrototypeOf:", "isPrototypeOf", '"isPrototypeOf" is reserved'],
  ["score:", "toLocaleString:", "toLocaleString", '"toLocaleString" is reserved'],
  [
    "score: { type: float }",
    "score: { type: float, description: &name constructor }\n      *name : { type: text }",
    "*name",
    "a name is written where it stands",
  ],
  ["score:", "a-b:", "a-b", '"a-b" is not a name'],
  ["expiresAfter: 2h", "expiresAfter: 2 hours", "2 hours", "a time span is a number with s, m, h, d or w"],
  [
    "score: { type: float }",
    "score: { type: float, scale: 2 }",
    "scale: 2 }\n      tags",
    '"scale" goes with decimal, and this column is float',
  ],
  ["seen: { type: timestamp }", "seen: { type: timestamp, unit: days }", "days", '"days" goes with date'],
  ["customer: person", "customer: persn", "persn", '"persn" is no declared column: did you mean "person"?'],
  ["customer: person", "customer: total", "total", "a customer's id is text"],
  [
    "key: [id]\n    customer: person",
    "key: [idd]\n    customer: person",
    "idd",
    '"idd" is no declared column',
  ],
  ["    key: [id]\n    customer: person", "    customer: person", "orders:", 'table "orders" has no key'],
  [
    "topics: [orders]",
    "topics: [people]",
    "people]\n    key: [id]\n    customer: person",
    'topic "people" is read by table "people" already',
  ],
  ["topics: [orders]", "topics: [/orders(/]", "/orders(/", '"/orders(/" is no regular expression'],
  [
    "topics: [orders]",
    "topics: [orders]\n    sequenceBy: [paid]",
    "paid]",
    "a column of type boolean has no order",
  ],
  ["topics: [orders]", "topics: [orders]\n    format: flat", "orders:", 'records of "orders" are flat'],
  [
    "topics: [orders]",
    "topics: [orders]\n    page: { column: kind, period: month }",
    "kind, period",
    "pages are made by a date or timestamp",
  ],
  [
    "topics: [people]",
    "topics: [people]\n    page: { column: seen, period: month }",
    "{ column: seen",
    "nothing to page",
  ],
  [
    "topics: [orders]",
    "topics: [orders]\n    ignoreNulls: [knd]",
    "knd",
    'no declared column: did you mean "kind"?',
  ],
  [
    "topics: [orders]",
    "topics: [orders]\n    deleteWhen: 'row.paidd'",
    "paidd'",
    'unknown name "row.paidd": did you mean "row.paid"?'.replace('row.paid"?', 'paid"?'),
  ],
  ["row.total != null", "row.totl != null", "totl !=", 'unknown name "row.totl": did you mean "total"?'],
  ["row.total != null", "total != null", "total != null", 'unknown name "total": did you mean "row.total"?'],
  ["row.total != null", "row.total", "row.total', else", "a condition is true or false, and this is decimal"],
  ["row.total != null", "row.total !=", "', else", "the expression ends too early"],
  [
    "row.total != null",
    "row.kind == 5",
    "row.kind ==",
    'text == integer: cannot be compared; the text would be "5"',
  ],
  ["row.total != null", "row.kind && row.paid", "row.kind &&", "this is text where true or false is needed"],
  ["row.total != null", "has(row.kind)", "has(", "compare it with null instead"],
  ["row.total != null", "row.kind.contains(5)", "row.kind.contains", "it takes text, text"],
  [
    "row.total != null",
    'row.kind.exists(k, k == "a")',
    "kind.exists",
    "this is text, and exists, all, map and filter go through a list",
  ],
  [
    "row.total != null",
    'row.paid || row.kind.matches("a(?!b)")',
    '"a(?!b)"',
    "this is no pattern of RE2: invalid or unsupported Perl syntax: `(?!`; there is no looking ahead",
  ],
  ["row.total != null", "row.kind.matches(row.kind)", "row.kind)", "is written out, or is a setting"],
  [
    "row.total != null",
    Array(5_000).fill("row.paid").join(" || "),
    "row.paid ||",
    "this goes deeper than 1000 levels: use in [...]",
  ],
  ["row.total != null", `${"!".repeat(50_000)}row.paid`, "!!!!!", "this goes deeper than 1000 levels"],
  ["row.total != null", 'row["total"] != null', 'row["total"]', '"row" is not a value by itself'],
  ["row.total != null", "row.total = 1", "= 1", "equal is =="],
  ["row.total != null", 'row.total > "a"', "row.total >", "decimal > text: cannot be compared"],
  ["row.total != null", 'row.total in ["a"]', '"a"]', "text in a list for decimal"],
  ["row.total != null", "metrics.spend > 1", "metrics.spend > 1'", 'unknown name "metrics"'],
  [
    "row.total >= settings.big",
    "row.total >= settings.bigg",
    "bigg",
    'unknown name "settings.bigg": did you mean "big"?',
  ],
  ["value: 100, ", "value: ten, ", "ten", '"ten" is not of type decimal'],
  ["sum: total", "summ: total", "summ", 'unknown key "summ": did you mean "sum"?'],
  ["sum: total", "sum: totl", "totl", '"totl" is no column of orders: did you mean "total"?'],
  ["sum: total", "sum: kind", "kind, where", "there is no sum of text"],
  ["sum: total", "sum: total, max: total", "spend:", "it has sum and max"],
  ["sum: total", "type: int, sum: total", "type: int, sum", '"type" is for expressions'],
  [
    "table: orders, sum",
    "table: order, sum",
    "order,",
    '"order" is no declared table: did you mean "orders"?',
  ],
  [
    "table: orders, sum",
    "over: history, table: orders, sum",
    "history",
    "over: history goes with min and max only",
  ],
  ["scale: 2 }\nsegments", "}\nsegments", "double:", "say with `scale:` how many digits"],
  [
    "metrics.spend * 2'",
    "metrics.double * 2'",
    "'metrics.double",
    "metrics go in a circle: double needs double",
  ],
  [
    "metrics.spend * 2'",
    "people.visits > 2'",
    "people.visits > 2",
    "this is boolean, and its type says decimal",
  ],
  ["metrics.spend * 2'", "people.tags'", "people.tags", "this is list of text, and its type says decimal"],
  ["otherwise: SMALL", "otherwise: BIG", "BIG }", '"BIG" is one of the tiers already'],
  [", otherwise: SMALL", "", "size:", "does not say which tier remains"],
  ["otherwise: SMALL", "otherwise: SMALL, when: 'true'", "size:", "has either tiers with otherwise, or when"],
  ["{ BIG:", "{ IN:", "IN:", '"IN" is what a segment without tiers says'],
  [
    "people.visits > 3",
    'segments.sizes == "BIG"',
    "sizes",
    'unknown name "segments.sizes": did you mean "size"?',
  ],
  ["people.visits > 3", "orders.total > 3", "orders.total > 3", 'unknown name "orders"'],
  [
    'segments.size == "BIG"',
    'segments.size == "BGI"',
    '"BGI"',
    '"BGI" is none of its values: did you mean "BIG"?',
  ],
  [
    'segments.size == "BIG"',
    'segments.regular == "YES"',
    '"YES"',
    '"YES" is none of its values; there is IN, OUT',
  ],
  [
    "trigger: { when: 'segments.size == \"BIG\"' }",
    "trigger: { crosses: 'row.total > 1', table: orders }",
    "orders }",
    '"orders" has many rows per customer',
  ],
  [
    "trigger: { when: 'segments.size == \"BIG\"' }",
    "trigger: { crosses: 'row.visits > 1' }",
    "trigger:",
    "crosses needs the table whose row crosses",
  ],
  [
    "trigger: { when: 'segments.size == \"BIG\"' }",
    "trigger: {}",
    "trigger:",
    "a trigger has either crosses (with table) or when",
  ],
  [
    "{metrics.spend}",
    "{metrics.spent}",
    "metrics.spent",
    'unknown name "metrics.spent": did you mean "spend"?',
  ],
  ["{metrics.spend}", "{metrics.spend", "{metrics.spend", "has no partner"],
  [
    "score: { type: float }",
    "score: { type: float, as: visits }",
    "as: visits",
    'a field of People called "visits", which is taken by "tables.people.columns.visits"',
  ],
  ["  people:", "  segments:", "segments:", '"segments" has a meaning of its own'],
  [
    "rows: one\n",
    "rows: one\n    type: Customer\n",
    "type: Customer",
    'a type called "Customer", which is taken by the schema itself',
  ],
  ["double:", "_spend:", "_spend:", 'a metric called "spend", which is taken by "metrics.spend"'],
  ["name: shop", "name: [shop", "tables", "this is not YAML"],
];

describe("a pipeline file", () => {
  test("that is sound has no faults", () => {
    expect(faultsOf(SMALL)).toBe("none");
  });

  test.each(SPOILED)("with %j turned into %j is refused at %j", (from, to, where, says) => {
    expect(SMALL).toContain(from);
    const spoiled = SMALL.replace(from, to);
    const faults = faultsOf(spoiled);
    expect(faults).toContain(says);
    const line = faults.split("\n").find((one) => one.includes(says)) ?? "";
    if (!says.includes("not YAML")) expect(line.startsWith(placeOf(spoiled, where))).toBe(true);
  });

  test("reports all its faults together, and none that only follows from another", () => {
    const spoiled = SMALL.replace("total: { type: decimal, scale: 2 }", "total: { type: decimall, scale: 2 }")
      .replace("expiresAfter", "expireAfter")
      .replace("people.visits > 3", "people.visit > 3")
      .replace("otherwise: SMALL", "otherwize: SMALL");
    expect(
      faultsOf(spoiled)
        .split("\n")
        .map((line) => line.replace(/^shop.yaml:\d+:\d+ /, "")),
    ).toEqual([
      "The pipeline file has 5 faults:",
      '"decimall" is not possible for "type": did you mean "decimal"?',
      'segment "size" does not say which tier remains: add otherwise',
      'unknown key "otherwize": did you mean "otherwise"?',
      'unknown name "people.visit": did you mean "visits"?',
      'unknown key "expireAfter": did you mean "expiresAfter"?',
    ]);
  });

  test("points into expressions that are folded, quoted and escaped", () => {
    const folded = SMALL.replace("'row.total >= settings.big'", "'row.kind == ''a''\n      && row.totl > 1'");
    expect(faultsOf(folded)).toContain(`${placeOf(folded, "totl")}unknown name "row.totl"`);
    const block = SMALL.replace(
      "  double: { expression: 'metrics.spend * 2', type: decimal, scale: 2 }",
      "  double:\n    type: decimal\n    scale: 2\n    expression: |\n      metrics.spend\n      + metrics.spent",
    );
    expect(faultsOf(block)).toContain(`${placeOf(block, "spent")}unknown name "metrics.spent"`);
    const escaped = SMALL.replace("'row.total >= settings.big'", '"row.kind == \\"a\\" && row.totl > 1"');
    expect(faultsOf(escaped)).toContain(`${placeOf(escaped, "totl")}unknown name "row.totl"`);
  });

  test("an empty file, a list and a hostile one are refused, not obeyed", () => {
    expect(faultsOf("")).toContain("shop.yaml:1:1");
    expect(faultsOf("- a")).toContain("shop.yaml:1:1");
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${"bcdefgh"
      .split("")
      .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${"abcdefg"[at]}`).join(", ")}]`)
      .join("\n")}`;
    expect(faultsOf(bomb)).toContain("not YAML");
    loadPlan(SMALL, "shop.yaml");
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("may share parts with anchors and merge keys", () => {
    const shared = SMALL.replace("{ type: decimal, scale: 2 }", "&money { type: decimal, scale: 2 }").replace(
      "paid: { type: boolean }",
      "tax: { <<: *money, scale: 4 }",
    );
    const orders = loadPlan(shared, "shop.yaml").tables.find(({ name }) => name === "orders");
    expect(orders?.columns.at(-1)).toMatchObject({ name: "tax", type: "decimal", scale: 4 });
  });

  test("has a version that follows its meaning, not its words", () => {
    const version = loadPlan(SMALL, "a.yaml").version;
    const reworded = SMALL.replace("What counts as big.", "Large amounts.").replace(
      "title: Hello",
      "title: Good day",
    );
    expect(loadPlan(reworded, "b.yaml").version).toBe(version);
    expect(loadPlan(SMALL.replace("visits > 3", "visits > 4"), "a.yaml").version).not.toBe(version);
    expect(loadPlan(SMALL.replace("value: 100", "value: 101"), "a.yaml").version).not.toBe(version);
  });

  test("orders expressions after what they use", () => {
    const text = SMALL.replace(
      "  double:",
      "  quadruple: { expression: 'metrics.double * 2', type: decimal, scale: 2 }\n  double:",
    );
    expect(loadPlan(text, "a.yaml").metrics.map(({ name }) => name)).toEqual([
      "spend",
      "double",
      "quadruple",
    ]);
  });
});

describe("the banking pipeline", () => {
  const plan = loadPlan(banking, "banking.yaml");
  const scope = (parts: Partial<Scope>): Scope => ({ metrics: {}, rows: {}, segments: {}, ...parts });
  const segment = (name: string): NonNullable<ReturnType<typeof plan.segments.find>> => {
    const found = plan.segments.find((one) => one.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  const tierOf = (name: string, metrics: Scope["metrics"]): string | null =>
    segment(name).tiers.find(({ when }) => when.holds(scope({ metrics })))?.name ?? segment(name).otherwise;
  const evaluate = (name: string, metrics: Scope["metrics"]): unknown => {
    const metric = plan.metrics.find((one) => one.name === name);
    return metric?.kind === "expression" ? metric.evaluate(scope({ metrics })) : undefined;
  };

  test("cannot do without knowing which value is a debit, and says why", () => {
    const without = banking.replace(/^ {4}value: 1\n/m, "");
    expect(without).not.toBe(banking);
    const faults = faultsOf(without);
    expect(faults).toContain('setting "debit" has no value');
    expect(faults).toContain("The value of debit_or_credit that means money left the account");
    expect(faults).toMatch(/shop\.yaml:\d+:3 /);
    const gone = faultsOf(banking.replace(/^settings:\n[^]*?\n\n(?=metrics:)/m, ""));
    expect(gone).toContain(
      "no settings are declared; a value that has to be decided is declared under `settings:`",
    );
  });

  test("tiers engagement, and knows nothing of customers it knows nothing of", () => {
    const tiers = [null, 0, 2, 3, 10, 11].map((n) => tierOf("engagement", { onlineTransactions: n }));
    expect(tiers).toEqual(["UNKNOWN", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH"]);
  });

  test("tiers spending by exact amounts", () => {
    const tiers = ["0.00", "999.99", "1000.00", "4999.99", "5000.00"].map((spendTotal) =>
      tierOf("spending", { spendTotal }),
    );
    expect(tiers).toEqual(["STANDARD", "STANDARD", "GOLD", "GOLD", "PLATINUM"]);
  });

  test("computes balances as exact decimals, and nothing from nothing", () => {
    expect(evaluate("balance", { openingBalance: "0.10", credits: "0.20", debits: "0.00" })).toBe("0.30");
    expect(
      evaluate("balance", { openingBalance: "99999999999999999.99", credits: "0.01", debits: "0.00" }),
    ).toBe("100000000000000000.00");
    expect(evaluate("balance", { openingBalance: null, credits: "0.00", debits: "0.00" })).toBeNull();
  });

  test("counts the days of a customer's life, rounded", () => {
    const days = (from: string | null, to: string | null): unknown =>
      evaluate("lifetimeDays", { lifetimeStart: from, lifetimeEnd: to });
    expect(days("2024-01-01T00:00:00Z", "2024-01-11T11:59:59.999Z")).toBe(10);
    expect(days("2024-01-01T00:00:00Z", "2024-01-11T12:00:00Z")).toBe(11);
    expect(days("2024-01-01T00:00:00Z", null)).toBeNull();
  });

  test("holds a balance to be big when either kind of account is", () => {
    const holds = (metrics: Scope["metrics"]): boolean =>
      segment("bigBalance").when?.holds(scope({ metrics })) ?? false;
    expect(holds({ balance: null, deposits: "150000.00" })).toBe(true);
    expect(holds({ balance: "100000.00", deposits: "0.00" })).toBe(true);
    expect(holds({ balance: "99999.99", deposits: null })).toBe(false);
  });

  test("says what it read and why it offers", () => {
    const when = segment("bigBalance").when;
    expect(when?.explain(scope({ metrics: { balance: "5.00", deposits: null } }))).toBe(
      "balance 5.00, deposits unknown",
    );
    const mortgage = plan.offers.find(({ name }) => name === "mortgageReady")?.trigger;
    const lost = (at: string | null) =>
      mortgage?.kind === "when" &&
      mortgage.condition.explain(
        scope({ segments: { engagement: "LOW" }, rows: { patterns: { home_mortgage_purchased_ts: at } } }),
      );
    expect(lost(null)).toBe("engagement LOW, mortgage purchased at no known time");
    expect(lost("2024-05-17T10:00:00Z")).toBe("engagement LOW, mortgage purchased at 2024-05-17T10:00:00Z");
    const offer = plan.offers.find(({ name }) => name === "concertLover");
    expect(offer?.reason(scope({ rows: { patterns: { number_of_concert_tickets: 6 } } }))).toBe(
      "Concert tickets reached 6.",
    );
    expect(offer?.expiresAfterMs).toBe(30 * 86_400_000);
    expect(plan.offers.map(({ name }) => name)).toEqual([
      "concertLover",
      "bigBalance",
      "mortgageReady",
      "cashbackWinback",
    ]);
  });

  test("gives averages two digits more than their column", () => {
    const metric = plan.metrics.find(({ name }) => name === "averagePayment");
    expect(metric).toMatchObject({ type: "decimal", scale: 4 });
  });
});

test.each(["captured-plain", "captured-schema"])("the pipeline of the %s records loads", (name) => {
  const plan = loadPlan(readFileSync(`test/fixtures/${name}.yaml`, "utf8"), `${name}.yaml`);
  expect(plan.tables.map((table) => [table.name, table.columns.length])).toEqual([
    ["customers", 22],
    ["accounts", 7],
  ]);
});

/** The faults alone, without their places. */
const textsOf = (text: string): readonly string[] =>
  faultsOf(text)
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/^shop\.yaml:\d+:\d+ /, ""));

describe("what is at fault is reported once", () => {
  const score = "score: { type: float }";

  test("a type with a typo is one, whatever else is wrong with its table", () => {
    const text = SMALL.replace("born: { type: date }", "born: { type: bigit }").replace(
      "rows: one",
      "rows: few",
    );
    expect(textsOf(text)).toEqual([
      '"few" is not possible for "rows"; there is one, many',
      '"bigit" is not possible for "type": did you mean "bigint"?',
    ]);
  });

  test("a key with a typo is not missing besides", () => {
    expect(textsOf(SMALL.replace(score, "score: { typ: float }"))).toEqual([
      'unknown key "typ": did you mean "type"?',
    ]);
  });

  test.each([
    ["a column", "visits: { type: int }", "visits: { type: nit }"],
    ["a column's name", "visits: { type: int }", "9visits: { type: int }"],
    ["a part of the table", "rows: one", "rows: few"],
    ["a table's name", "  people:\n", "  9people:\n"],
  ])("what refers to %s at fault is not at fault itself", (_, from, to) => {
    const crossing = `${SMALL}  crossed:
    title: Crossed
    trigger: { table: people, crosses: row.visits > 3 }
    reason: 'Crossed.'
`;
    expect(faultsOf(crossing)).toBe("none");
    expect(textsOf(crossing.replace(from, to).replace(/ {2}regular.*\n/, ""))).toHaveLength(1);
  });

  test("a shape that cannot be is told in the words of the file", () => {
    expect(textsOf(SMALL.replace(score, "score: float"))).toEqual([
      '"score" has to be a mapping, and this is a text',
    ]);
    expect(textsOf(SMALL.replace("title: Hello", "title:"))).toEqual([
      '"title" has to be a text, and this is empty. What the customer reads.',
    ]);
  });

  test.each([[""], ["# nothing yet\n"]])("an empty file is called empty", (text) => {
    expect(textsOf(text)).toEqual(["the file is empty: it needs at least a name and tables"]);
  });

  test("of many faults the first twenty are shown, and the rest counted", () => {
    const columns = Array.from({ length: 25 }, (_, at) => `      c${at}: { type: bigit }\n`).join("");
    const lines = faultsOf(SMALL.replace("      born:", `${columns}      born:`)).split("\n");
    expect(lines[0]).toBe("The pipeline file has 25 faults:");
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe("... and 5 more");
  });
});
