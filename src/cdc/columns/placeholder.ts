import { isObject, type Json } from "../reading/json.ts";

/** What the connector sends for a large value that an update left alone: the record does not carry the column. */
const TEXT = "__debezium_unavailable_value";
const BASE64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==";
const BASE64_URL = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ";
const HEX = "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565";
/** The UUID made from the placeholder's name (version 3), which stands for it in UUID columns. */
const UUID = "b68a35a7-17ad-35b3-af2a-ae46edb4545a";
const CODES: readonly number[] = Array.from(TEXT, (character) => character.charCodeAt(0));

/** Whether a text is the placeholder, in any form that a text column, bytes or a UUID can take. Cheap for every other text. */
export function isPlaceholderText(text: string): boolean {
  switch (text.length) {
    case TEXT.length:
      return text === TEXT;
    case UUID.length:
      return text === UUID;
    case BASE64.length:
      return text === BASE64;
    case BASE64_URL.length:
      return text === BASE64_URL;
    case HEX.length:
      return text.toLowerCase() === HEX;
    default:
      return text.length === 2 * TEXT.length + 7 && text === `{"${TEXT}":"${TEXT}"}`;
  }
}

/**
 * Whether an array or object is the placeholder:
 * one placeholder in an array, its bytes as integers, or a map from it to itself.
 */
export function isPlaceholder(raw: Json): boolean {
  if (typeof raw === "string") return isPlaceholderText(raw);
  if (Array.isArray(raw)) {
    if (raw.length === 1) return typeof raw[0] === "string" && isPlaceholderText(raw[0]);
    return raw.length === CODES.length && raw.every((element, index) => element === CODES[index]);
  }
  return isObject(raw) && Object.keys(raw).length === 1 && Object.hasOwn(raw, TEXT);
}
