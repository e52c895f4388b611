import { describe, expect, test } from "vitest";
import { compileColumn } from "../../../src/cdc/columns/columns.ts";
import type { FieldSchema } from "../../../src/cdc/columns/connect-schema.ts";
import { Digits, parseLossless, type Json } from "../../../src/cdc/reading/json.ts";
import type { ColumnPlan, ColumnType } from "../../../src/cdc/table.ts";
import { Misfit } from "../../../src/cdc/columns/values.ts";
import { column } from "../tables.ts";

type Options = Partial<Omit<ColumnPlan, "name" | "type">>;

function decode(
  type: ColumnType,
  json: string,
  options: Options = {},
  schema: Partial<FieldSchema> | null = null,
) {
  const field: FieldSchema | null =
    schema === null
      ? null
      : { type: "int64", name: null, scale: null, items: null, default: undefined, ...schema };
  const raw: Json | undefined = parseLossless(json);
  if (raw === undefined) throw new Error(`not JSON: ${json}`);
  return compileColumn(column("c", type, options), field)(raw);
}

const micro = { name: "io.debezium.time.MicroTimestamp" };
const decimal = (scale: number): Partial<FieldSchema> => ({
  type: "bytes",
  name: "org.apache.kafka.connect.data.Decimal",
  scale,
});

describe("columns", () => {
  test.each<[ColumnType, string, Options, unknown]>([
    ["text", '"x"', {}, "x"],
    ["text", "7", {}, "7"],
    ["text", "9007199254740993", {}, "9007199254740993"],
    ["text", "true", {}, "true"],
    ["int", "-2147483648", {}, -2_147_483_648],
    ["int", "1.0", {}, 1],
    ["int", '"12"', {}, 12],
    ["bigint", "7", {}, "7"],
    ["bigint", '"7"', {}, "7"],
    ["bigint", '"007"', {}, "7"],
    ["bigint", "9223372036854775807", {}, "9223372036854775807"],
    ["bigint", "18446744073709551615", {}, "18446744073709551615"],
    ["decimal", "10.50", {}, "10.50"],
    ["decimal", "10.5", { scale: 2 }, "10.50"],
    ["decimal", "7", { scale: 2 }, "7.00"],
    ["decimal", "1E+2", {}, "100"],
    ["decimal", '"1234.5678"', { scale: 4 }, "1234.5678"],
    ["decimal", '"NAN"', { scale: 4 }, "NaN"],
    ["decimal", '{"scale":9,"value":"Dw=="}', {}, "0.000000015"],
    ["decimal", '"MDk="', { scale: 2, unscaled: true }, "123.45"],
    ["float", "1.1", {}, 1.1],
    ["float", "-0", {}, 0],
    ["float", '"NaN"', {}, "NaN"],
    ["float", '"-Infinity"', {}, "-Infinity"],
    ["float", '"2.5"', {}, 2.5],
    ["boolean", "true", {}, true],
    ["boolean", "0", {}, false],
    ["boolean", '"t"', {}, true],
    ["boolean", '"FALSE"', {}, false],
    ["date", "18262", {}, "2020-01-01"],
    ["date", "-1", {}, "1969-12-31"],
    ["date", "-719162", {}, "0001-01-01"],
    ["date", "-622191234", {}, "infinity"],
    ["date", '"2022-01-01"', {}, "2022-01-01"],
    ["date", '"2022-01-01Z"', {}, "2022-01-01"],
    ["date", '"infinity"', {}, "infinity"],
    ["date", "1711852200000", { unit: "ms" }, "2024-03-31"],
    ["date", '"31.12.2023"', { format: "dd.MM.yyyy" }, "2023-12-31"],
    ["time", "86399999999", { unit: "us" }, "23:59:59.999999"],
    ["time", "86400000", { unit: "ms" }, "24:00:00"],
    ["time", '"23:59:59.500"', {}, "23:59:59.5"],
    ["time", '"01:30:00+02:00"', {}, "23:30:00"],
    ["timestamp", "1711852200000001", { unit: "us" }, "2024-03-31T02:30:00.000001Z"],
    ["timestamp", "1711852200000", { unit: "ms" }, "2024-03-31T02:30:00Z"],
    ["timestamp", "1711852200000000001", { unit: "ns" }, "2024-03-31T02:30:00.000000001Z"],
    ["timestamp", "-1", { unit: "us" }, "1969-12-31T23:59:59.999999Z"],
    ["timestamp", "-9223372036854775808", { unit: "us" }, "-infinity"],
    ["timestamp", "9223372036825200000", { unit: "us" }, "infinity"],
    ["timestamp", '"infinity"', {}, "infinity"],
    ["timestamp", '"2024-02-29T21:59:59.123456Z"', {}, "2024-02-29T21:59:59.123456Z"],
    ["timestamp", '"2024-02-29T23:59:59.123456+02:00"', {}, "2024-02-29T21:59:59.123456Z"],
    ["timestamp", '"2024-06-01T00:00:00.000000Z"', {}, "2024-06-01T00:00:00Z"],
    ["timestamp", '"2024-06-01 00:00:00"', {}, "2024-06-01T00:00:00Z"],
    ["timestamp", '"2024-06-01"', {}, "2024-06-01T00:00:00Z"],
    ["timestamp", '"12-31-2023 23:59:59"', { format: "MM-dd-yyyy HH:mm:ss" }, "2023-12-31T23:59:59Z"],
    ["timestamp", "19844", { unit: "days" }, "2024-05-01T00:00:00Z"],
    ["timestamp", "253402300800", { unit: "s" }, "+010000-01-01T00:00:00Z"],
    ["uuid", '"6F1B1B1E-0000-4000-8000-000000000001"', {}, "6f1b1b1e-0000-4000-8000-000000000001"],
    ["json", '"{\\"a\\": 9007199254740993}"', {}, '{"a": 9007199254740993}'],
    ["json", '{"a": [9007199254740993, 1.50]}', {}, '{"a":[9007199254740993,1.50]}'],
    ["bytes", '"3q2+7w=="', {}, "3q2+7w=="],
    ["bytes", '"3q2-7w"', { encoding: "base64-url-safe" }, "3q2+7w=="],
    ["bytes", '"deadbeef"', { encoding: "hex" }, "3q2+7w=="],
    ["enum", '"debit"', {}, "debit"],
    ["text", '["a",null,"b"]', { list: true }, ["a", null, "b"]],
    ["bigint", '[1,"9007199254740993"]', { list: true }, ["1", "9007199254740993"]],
  ])("%s %s %j is %j", (type, json, options, value) => {
    expect(decode(type, json, options)).toEqual(value);
  });

  test.each<[ColumnType, string, Options]>([
    ["text", "{}", {}],
    ["int", "2147483648", {}],
    ["int", "1.5", {}],
    ["int", '""', {}],
    ["bigint", "1.5", {}],
    ["bigint", '"abc"', {}],
    ["decimal", '"MDk="', { scale: 2 }],
    ["decimal", '"POSITIVE_INFINITY"', {}],
    ["decimal", "10.505", { scale: 2 }],
    ["decimal", '{"scale":900000000,"value":"Dw=="}', {}],
    ["float", "1e999", {}],
    ["float", '"0x10"', {}],
    ["boolean", "2", {}],
    ["boolean", '{"toString":1}', {}],
    ["date", '"2023-02-29"', {}],
    ["date", '"01/02/2023"', {}],
    ["time", '"25:00:00"', {}],
    ["time", "86400001", { unit: "ms" }],
    ["timestamp", '"2024-13-01T00:00:00Z"', {}],
    ["timestamp", '"2024-02-30T00:00:00Z"', {}],
    ["timestamp", '"2023-12-31T23:59:59Z"', { format: "MM-dd-yyyy HH:mm:ss" }],
    ["timestamp", "99999999999999999999", { unit: "s" }],
    ["timestamp", "1.5", { unit: "s" }],
    ["uuid", '"6f1b1b1e"', {}],
    ["bytes", '"xyz!"', {}],
    ["bytes", '"abc"', { encoding: "hex" }],
    ["text", '"a"', { list: true }],
    ["int", "[1,1.5]", { list: true }],
  ])("%s %s %j does not fit, and the reason does not quote it", (type, json, options) => {
    const answer = decode(type, json, options);
    expect(answer).toBeInstanceOf(Misfit);
    expect(
      answer instanceof Misfit && answer.reason.includes(json.replaceAll('"', "")) && json.length > 6,
    ).toBe(false);
  });

  test("a number without a unit is refused for instants and times, and says what to declare", () => {
    for (const type of ["timestamp", "time"] as const) {
      const answer = decode(type, "1711852200000");
      expect(answer).toBeInstanceOf(Misfit);
      expect(answer instanceof Misfit ? answer.reason : "").toContain("declare `unit`");
    }
  });

  test("the schema gives the unit, and a declared unit overrides it", () => {
    expect(decode("timestamp", "1711852200000000", {}, micro)).toBe("2024-03-31T02:30:00Z");
    expect(decode("timestamp", "1711852200000", { unit: "ms" }, micro)).toBe("2024-03-31T02:30:00Z");
    expect(decode("time", "1", {}, { name: "io.debezium.time.NanoTime" })).toBe("00:00:00.000000001");
  });

  test("the schema gives the scale of decimals in bytes, and their text is then never a number", () => {
    expect(decode("decimal", '"MDk="', {}, decimal(2))).toBe("123.45");
    expect(decode("decimal", '"1234"', {}, decimal(0))).toBe("-2658824");
    expect(decode("decimal", '"1234"', {})).toBe("1234");
    expect(decode("bigint", '"AP//////////"', {}, decimal(0))).toBe("18446744073709551615");
    expect(decode("decimal", '"MDk="', {}, { ...decimal(2), scale: null })).toBeInstanceOf(Misfit);
  });

  test("the schema's bytes are base64 whatever encoding is declared", () => {
    expect(decode("bytes", '"3q2+7w=="', { encoding: "hex" }, { type: "bytes" })).toBe("3q2+7w==");
  });

  test("the placeholder says in every shape that the column is not carried", () => {
    const bytes = Buffer.from("__debezium_unavailable_value");
    const shapes: readonly [ColumnType, unknown, Options][] = [
      ["text", "__debezium_unavailable_value", {}],
      ["json", "__debezium_unavailable_value", {}],
      ["text", ["__debezium_unavailable_value"], { list: true }],
      ["bytes", bytes.toString("base64"), {}],
      ["bytes", bytes.toString("base64url"), { encoding: "base64-url-safe" }],
      ["bytes", bytes.toString("hex"), { encoding: "hex" }],
      ["int", [...bytes], { list: true }],
      ["bigint", [...bytes], { list: true }],
      ["json", { __debezium_unavailable_value: "__debezium_unavailable_value" }, {}],
      ["json", '{"__debezium_unavailable_value":"__debezium_unavailable_value"}', {}],
      ["uuid", ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"], { list: true }],
    ];
    for (const [type, value, options] of shapes) {
      expect(decode(type, JSON.stringify(value), options), JSON.stringify(value)).toBeUndefined();
    }
    expect(decode("text", '"__debezium_unavailable_valuE"')).toBe("__debezium_unavailable_valuE");
  });

  test("an unknown date format is a fault of the plan, not of a record", () => {
    expect(() => compileColumn(column("c", "date", { format: "QQ-yyyy" }), null)).toThrow(
      "not a date format",
    );
  });

  test("numbers and texts of the same value are the same value", () => {
    const decoder = compileColumn(column("c", "bigint"), null);
    expect(decoder(new Digits("9007199254740993"))).toBe(decoder("9007199254740993"));
    expect(decoder("9007199254740993")).not.toBe(decoder("9007199254740992"));
  });
});
