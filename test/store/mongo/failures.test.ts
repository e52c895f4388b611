import { MongoBulkWriteError } from "mongodb";
import { expect, test } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import { failureOf } from "../../../src/store/mongo/failures.ts";

/** What the driver hands on when a socket is reset in the middle of a write. */
function reset(): Error {
  return Object.assign(new Error("write ECONNRESET"), { errno: -104, code: "ECONNRESET", syscall: "write" });
}

test("a socket that is reset while it is written to is an outage, in a bulk as well", () => {
  const result = {} as ConstructorParameters<typeof MongoBulkWriteError>[1];
  const inBulk = new MongoBulkWriteError(reset(), result);
  expect([reset(), inBulk].map((error) => codeOf(failureOf(error, "here")))).toEqual([
    ...["STORE_UNAVAILABLE", "STORE_UNAVAILABLE"],
  ]);
});

test("a fault of ours is none", () => {
  const fault = new TypeError("x is not a function");
  expect(failureOf(fault, "here")).toBe(fault);
});
