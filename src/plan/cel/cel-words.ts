/** What the CEL library has to say of an expression. */
export interface Complaint {
  /** The library's own name for it. */
  readonly code: string;
  /** The library's own words. */
  readonly summary: string;
  /** The expression, from where the library stopped. */
  readonly rest: string;
}

/** The library's kinds of values, in the words of people who write pipeline files. */
const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  int: "integer",
  uint: "unsigned integer",
  double: "float",
  bool: "boolean",
  instant: "timestamp",
  dyn: "anything",
  "google.protobuf.Timestamp": "timestamp",
  "google.protobuf.Duration": "duration",
};

const LIMITS: Readonly<Record<string, string>> = {
  maxAstNodes: "an expression has at most # parts",
  maxDepth: "an expression is nested at most # levels deep",
  maxListElements: "a list has at most # values",
  maxMapEntries: "a map has at most # entries",
  maxCallArguments: "a function takes at most # values",
};

/** What the library calls the signs it waits for. */
const SIGNS: Readonly<Record<string, string>> = {
  RPAREN: '")"',
  RBRACKET: '"]"',
  RBRACE: '"}"',
  COLON: '":"',
  IDENTIFIER: "a name",
};

/** What is written otherwise in SQL and in most languages. */
const HABITS = "equal is ==, and is &&, or is ||, not is !";

type Words = (complaint: Complaint) => string;

const UNEXPECTED: Words = ({ summary, rest }) => {
  const found = firstWord(rest);
  const sign = SIGNS[/^Expected (\w+),/.exec(summary)?.[1] ?? ""];
  if (found === "")
    return sign === undefined
      ? "the expression ends too early"
      : `the expression ends too early: ${sign} is missing`;
  const fault =
    sign === undefined ? `"${found}" has no meaning here` : `${sign} is missing before "${found}"`;
  return `this is not CEL: ${fault} (${HABITS})`;
};

const UNCLOSED: Words = () => "the quote that begins this text is not closed";
const ESCAPE: Words = ({ rest }) =>
  `${rest.slice(0, 2)} has no meaning in a text: a backslash is written \\\\, or the whole text r"..."`;
const NO_NUMBER: Words = ({ rest }) => `"${firstWord(rest)}" is no number`;
const NO_TRUTH: Words = ({ summary }) => `this is ${lastKind(summary)} where true or false is needed`;
const MIXED: Words = ({ summary }) => {
  const [wanted = "", found = ""] = kindsIn(summary);
  return `the values of a list or map are of one kind: ${wanted} before, and this is ${found}`;
};

const WORDS: Readonly<Record<string, Words>> = {
  expected_token: UNEXPECTED,
  unexpected_token: UNEXPECTED,
  unexpected_character: UNEXPECTED,
  unterminated_string: UNCLOSED,
  unterminated_triple_quoted_string: UNCLOSED,
  newline_in_string: () =>
    "a text ends on the line on which it begins, unless it stands between three quotes",
  invalid_escape_sequence: ESCAPE,
  invalid_unicode_escape: ESCAPE,
  invalid_unicode_surrogate: ESCAPE,
  invalid_hex_escape: ESCAPE,
  invalid_octal_escape: ESCAPE,
  octal_escape_out_of_range: ESCAPE,
  bytes_unicode_escape: ESCAPE,
  invalid_number: NO_NUMBER,
  invalid_integer: NO_NUMBER,
  invalid_hex_integer: NO_NUMBER,
  invalid_exponent: NO_NUMBER,
  reserved_identifier: ({ rest }) => `"${firstWord(rest)}" is a word that CEL keeps for itself`,
  limit_exceeded: ({ summary }) =>
    summary.replace(/^Exceeded (\w+) \((\d+)\)$/, (_, limit: string, most: string) =>
      (LIMITS[limit] ?? limit).replace("#", most),
    ),
  unknown_variable: ({ summary }) => `unknown name "${summary.replace(/^.*: /, "")}"`,
  no_such_overload: ({ summary }) => `${inOurKinds(summary.replace(/^.*?: /, ""))} is not possible`,
  no_matching_overload: ({ summary }) => {
    const [, receiver, name = "", given = ""] = /'(?:(.+?)\.)?(\w+)\((.*)\)'/.exec(summary) ?? [];
    const what = `function ${name}(${inOurKinds(given)})`;
    return receiver === undefined ? `there is no ${what}` : `${inOurKinds(receiver)} has no ${what}`;
  },
  invalid_logical_operand: NO_TRUTH,
  invalid_condition_type: NO_TRUTH,
  invalid_comprehension_range: ({ summary }) =>
    `this is ${lastKind(summary)}, and exists, all, map and filter go through a list`,
  invalid_macro_argument: ({ summary }) =>
    `${/^\w+/.exec(summary)?.[0] ?? ""} begins with a name for each value: ${/^\w+/.exec(summary)?.[0] ?? ""}(one, one == "a")`,
  heterogeneous_list_element: MIXED,
  heterogeneous_map_key: MIXED,
  heterogeneous_map_value: MIXED,
  invalid_index_type: ({ summary }) => `a list is asked by number, and this is ${lastKind(summary)}`,
  cannot_index_type: ({ summary }) => `${lastKind(summary)} has no parts to name`,
};

/** A complaint of the library in plain words: what is wrong and, where that is known, what is written instead. */
export function inPlainWords(complaint: Complaint): string {
  return WORDS[complaint.code]?.(complaint) ?? inOurKinds(complaint.summary);
}

/** The word or sign a text begins with. */
function firstWord(text: string): string {
  return /^\s*(\w+|\S)/u.exec(text)?.[1] ?? "";
}

/** The kinds of values that a summary puts in quotes. */
function kindsIn(summary: string): readonly string[] {
  return [...summary.matchAll(/'([^']*)'/g)].map(([, kind = ""]) => inOurKinds(kind));
}

function lastKind(summary: string): string {
  return kindsIn(summary).at(-1) ?? "";
}

function inOurKinds(text: string): string {
  const named = text.replace(
    /google\.protobuf\.\w+|\b(string|u?int|double|bool|instant|dyn)\b/g,
    (kind) => KINDS[kind] ?? kind,
  );
  return named.replace(/\blist<(.*)>/g, "list of $1");
}
