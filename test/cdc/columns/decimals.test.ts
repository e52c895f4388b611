import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decimalOfBytes,
  plainDecimal,
  plainInteger,
  rescale,
  trimDecimal,
} from "../../../src/cdc/columns/decimals.ts";

describe("decimals", () => {
  test.each([
    ["AA==", 0, "0"],
    ["MDk=", 2, "123.45"],
    ["nA==", 2, "-1.00"],
    ["AIA=", 0, "128"],
    ["gA==", 0, "-128"],
    ["/w==", 2, "-0.01"],
    ["Aknw", 2, "1500.00"],
    ["BWvHXi1jD///", 4, "9999999999999999.9999"],
    ["", 2, "0.00"],
    ["Dw==", -3, "15000"],
    ["AQ==", 10, "0.0000000001"],
  ])("bytes %s with scale %i are %s", (base64, scale, text) => {
    expect(decimalOfBytes(Buffer.from(base64, "base64"), scale)).toBe(text);
  });

  test("bytes of any size and scale give the digits that were put in", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
        fc.nat(40),
        fc.nat(3),
        (unscaled, scale, padding) => {
          const text = decimalOfBytes(twosComplement(unscaled, padding), scale);
          expect(BigInt(text.replace(".", "")).toString()).toBe(unscaled.toString());
          expect(scale === 0 ? !text.includes(".") : text.length - text.indexOf(".") - 1 === scale).toBe(
            true,
          );
        },
      ),
    );
  });

  test.each([
    ["0", "0"],
    ["-0", "0"],
    ["-0.00", "0.00"],
    ["+7", "7"],
    ["007.10", "7.10"],
    [".5", "0.5"],
    ["5.", "5"],
    ["1e3", "1000"],
    ["1.5E+2", "150"],
    ["1.5e-3", "0.0015"],
    ["-12.30", "-12.30"],
    ["123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"],
  ])("%s in plain notation is %s", (text, plain) => {
    expect(plainDecimal(text)).toBe(plain);
  });

  test.each(["", "-", ".", "1,5", "NaN", "0x10", "1e99999", "1e5000", " 1", "MDk=", "1.2.3"])(
    "%j is no decimal",
    (text) => {
      expect(plainDecimal(text)).toBeNull();
    },
  );

  test("plain notation is a fixed point, and trimming gives one text per number", () => {
    const digits = fc.stringMatching(/^-?\d{1,20}(\.\d{1,12})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        const plain = plainDecimal(text) ?? "";
        expect(plainDecimal(plain)).toBe(plain);
        expect(trimDecimal(plainDecimal(text.includes(".") ? `${text}00` : `${text}.00`) ?? "")).toBe(
          trimDecimal(plain),
        );
      }),
    );
  });

  test("a scale adds zeros and takes only zeros away", () => {
    expect(rescale("1.5", 2)).toBe("1.50");
    expect(rescale("1", 2)).toBe("1.00");
    expect(rescale("1.500", 2)).toBe("1.50");
    expect(rescale("1.00", 0)).toBe("1");
    expect(rescale("-0.00", 0)).toBe("0");
    expect(rescale("1.505", 2)).toBeNull();
    expect(rescale("NaN", 2)).toBe("NaN");
    expect(plainInteger("12.00")).toBe("12");
    expect(plainInteger("12.5")).toBeNull();
  });
});

function twosComplement(value: bigint, padding: number): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length++;
  const size = length + padding;
  return Buffer.from(
    BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, "0"),
    "hex",
  );
}
