import { expect, test } from "vitest";
import { connectorMs } from "../../../src/cdc/reading/connector-time.ts";

const of = (text: string) => connectorMs({ value: Buffer.from(text) });

test.each([
  ["an envelope", '{"op":"c","source":{"ts_ms":5},"ts_ms":7}', 7],
  ["a wrapped envelope", '{"schema":{},"payload":{"op":"c","ts_ms":8}}', 8],
  ["a flattened row", '{"id":1,"ts_ms":6,"__ts_ms":9}', 9],
])("the connector's time is read from %s", (_, text, ms) => {
  expect(of(text)).toBe(ms);
});

test("what does not say it has none", () => {
  for (const text of ["", "{", "[]", '{"op":"c"}', '{"op":"c","ts_ms":"7"}', '{"ts_ms":7}', "null"])
    expect(of(text)).toBe(null);
  expect(connectorMs({ value: null })).toBe(null);
  expect(of(`{"op":"c","ts_ms":7,"pad":"${"x".repeat(70_000)}"}`)).toBe(null);
});
