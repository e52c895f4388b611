/** A piece of JSON text. Texts are joined, never parsed, so integers keep all their digits. */
export type Json = string;

/** A JSON string. */
export function text(value: string): Json {
  return JSON.stringify(value);
}

/** A JSON object of members that are JSON already, in the order given. */
export function object(members: Readonly<Record<string, Json>>): Json {
  return `{${Object.entries(members)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(",")}}`;
}

/** Cents as decimal text: -150 is "-1.50". */
export function money(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, "0");
  return `${cents < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** An unscaled integer as Kafka Connect's Decimal sends it: base64 of its shortest big-endian two's complement. */
export function decimalBytes(unscaled: number): string {
  let bits = BigInt(unscaled);
  const bytes: number[] = [];
  do {
    bytes.unshift(Number(BigInt.asUintN(8, bits)));
    bits >>= 8n;
  } while (!((bits === 0n && (bytes[0] ?? 0) < 128) || (bits === -1n && (bytes[0] ?? 0) >= 128)));
  return Buffer.from(bytes).toString("base64");
}
