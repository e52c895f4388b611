import { GraphQLError, GraphQLScalarType, Kind } from "graphql";
import type { ValueNode } from "graphql";
import type { Value } from "../cdc/change.ts";

/** How one scalar reads what clients write. Answers null for what it does not accept. */
interface Reading {
  readonly name: string;
  readonly description: string;
  /** What is accepted, in words, for the error. */
  readonly expects: string;
  readonly read: (text: string) => Value;
  /** Accepts numbers too, as literals or JSON numbers, read from their text. */
  readonly numbers?: boolean;
  /** From the stored form to what is sent, where they differ. */
  readonly write?: (value: unknown) => Value;
}

const matching = (pattern: RegExp) => (text: string) => (pattern.test(text) ? text : null);

const READINGS: readonly Reading[] = [
  {
    name: "Decimal",
    description:
      'An exact decimal number as text, such as "1234.50": money never passes through a float. Can be "NaN" in answers when the source sent that.',
    expects: 'a decimal number such as "1234.50"',
    read: matching(/^-?\d{1,1000}(\.\d{1,1000})?$/),
    numbers: true,
  },
  {
    name: "BigInt",
    description:
      'A whole number of any size as text, such as "9007199254740993": JavaScript numbers would lose its last digits.',
    expects: 'a whole number such as "9007199254740993"',
    read: matching(/^-?\d{1,1000}$/),
    numbers: true,
    write: (value) => String(value),
  },
  {
    name: "Double",
    description:
      'A 64-bit floating-point number; the texts "NaN", "Infinity" and "-Infinity" where it is none.',
    expects: 'a number, "NaN", "Infinity" or "-Infinity"',
    read: readDouble,
    numbers: true,
  },
  {
    name: "DateTime",
    description:
      'An instant in ISO 8601 with its offset, such as "2024-05-17T10:00:00.123456Z". Answers are in UTC; a source may also send "infinity" or "-infinity".',
    expects: 'an instant with its offset, such as "2024-05-17T10:00:00Z"',
    read: readInstant,
    write: (value) => (typeof value === "number" ? new Date(value).toISOString() : String(value)),
  },
  {
    name: "Date",
    description:
      'A calendar day in ISO 8601, such as "2024-05-17"; a source may also send "infinity" or "-infinity".',
    expects: 'a day such as "2024-05-17"',
    read: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) && isDay(text) ? text : null),
  },
  {
    name: "Time",
    description: 'A time of day, such as "23:59:59.999999".',
    expects: 'a time of day such as "23:59:59"',
    read: matching(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?$/),
  },
  {
    name: "JsonText",
    description: "JSON as text, as the source sent it: parse it to use it. No digit is lost on the way.",
    expects: "JSON text",
    read: (text) => text,
  },
  {
    name: "Cursor",
    description:
      "A place in a list or in the stream of updates. Opaque and exclusive: what follows it comes after what it was given with. Cursors of updates are signed, and belong to the field, arguments and viewer they were given to.",
    expects: "a cursor given by this server",
    read: (text) => (text.length > 0 && text.length <= 16_384 ? text : null),
  },
];

/** The scalars of the schema, beside those of GraphQL itself. Values travel in the form they are stored in. */
export const scalars: readonly GraphQLScalarType[] = READINGS.map(scalar);

function scalar(reading: Reading): GraphQLScalarType {
  const accept = (text: string | null, shown: string): Value => {
    const value = text === null ? null : reading.read(text);
    if (value !== null) return value;
    throw new GraphQLError(`${reading.name} must be ${reading.expects}, not ${shown.slice(0, 100)}.`, {
      extensions: { code: "BAD_USER_INPUT" },
    });
  };
  return new GraphQLScalarType({
    name: reading.name,
    description: reading.description,
    serialize: reading.write ?? ((value) => value),
    parseValue: (value) => accept(textOf(value, reading), JSON.stringify(value) ?? "nothing"),
    parseLiteral: (node) =>
      accept(literalOf(node, reading), "value" in node ? String(node.value) : node.kind),
  });
}

function textOf(value: unknown, reading: Reading): string | null {
  if (typeof value === "string") return value;
  const exact = typeof value === "number" && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return reading.numbers && exact ? String(value) : null;
}

function literalOf(node: ValueNode, reading: Reading): string | null {
  if (node.kind === Kind.STRING) return node.value;
  return reading.numbers && (node.kind === Kind.INT || node.kind === Kind.FLOAT) ? node.value : null;
}

function readDouble(text: string): Value {
  if (["NaN", "Infinity", "-Infinity"].includes(text)) return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

/** To the stored form: UTC, as many digits of a second as needed. */
function readInstant(text: string): Value {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!parts) return null;
  const [, day = "", time = "", fraction = "", offset = ""] = parts;
  const ms = isDay(day) ? Date.parse(`${day}T${time}${offset}`) : Number.NaN;
  if (Number.isNaN(ms)) return null;
  const digits = fraction.replace(/0+$/, "");
  return `${new Date(ms).toISOString().slice(0, 19)}${digits === "" ? "" : `.${digits}`}Z`;
}

/** False for days no calendar has, which Date would roll over. */
function isDay(day: string): boolean {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}
