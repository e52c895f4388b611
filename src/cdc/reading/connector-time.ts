import type { SourceRecord } from "../change.ts";
import { isObject, member, parseLossless } from "./json.ts";

/** A larger value is not worth parsing once more for a time. */
const MOST_BYTES = 65_536;

/**
 * When the connector made a record, milliseconds since 1970, by the `ts_ms` of its envelope or the `__ts_ms` of a flattened
 * row; null when it does not say. It parses the record in full: for a look at one record of many.
 */
export function connectorMs({ value }: Pick<SourceRecord, "value">): number | null {
  if (value === null || value.byteLength > MOST_BYTES) return null;
  const json = parseLossless(new TextDecoder().decode(value));
  const wrapped = member(json, "payload");
  const payload = isObject(wrapped) ? wrapped : json;
  const ms = member(payload, member(payload, "op") === undefined ? "__ts_ms" : "ts_ms");
  return typeof ms === "number" && ms > 0 ? ms : null;
}
