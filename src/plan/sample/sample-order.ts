import type { Seen, Warning } from "./seen.ts";

/** As many records as it takes to call something constant, or never repeated, without being rash. */
const ENOUGH = 5;
const DAY_FIRST = /^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}/;

/** What is doubtful about a table's order and keys. */
export function orderWarnings(seen: Seen): Warning[] {
  return [...constantSequence(seen), ...textDates(seen), ...recordKeys(seen), ...rowKeys(seen)];
}

function constantSequence({ table, changes }: Seen): Warning[] {
  // Rows of one snapshot share their position rightfully: they rank below everything, so only streamed changes are looked at.
  const streamed = changes.filter(({ change }) => change.position.endsWith(".1")).map(({ change }) => change);
  const repeats = new Set(streamed.map(({ key }) => key)).size < streamed.length;
  const positions = new Set(streamed.map(({ position }) => position));
  if (table.appendOnly || positions.size !== 1 || streamed.length < (repeats ? 2 : ENOUGH)) return [];
  const moving = table.columns.filter(
    ({ type, list }) => !list && (type === "timestamp" || type === "bigint"),
  );
  const candidates = moving
    .filter(({ name }) => new Set(streamed.map(({ set }) => set[name] ?? null)).size > 1)
    .map(({ name }) => name);
  const hint = candidates.length > 0 ? `; ${candidates.join(" or ")} does move` : "";
  const what =
    table.sequence.kind === "log"
      ? "the connector's own position (lsn)"
      : `the sequence (${table.sequence.columns.join(", ")})`;
  const text = `${what} is the same in all ${streamed.length} changes of ${table.name}, so the newest cannot be told: name another column in sequenceBy${hint}`;
  return [{ code: "constant-sequence", table: table.name, column: null, text }];
}

function textDates({ table, changes }: Seen): Warning[] {
  if (table.sequence.kind === "log") return [];
  return table.sequence.columns.flatMap((name): Warning[] => {
    const isText = table.columns.some((column) => column.name === name && column.type === "text");
    const example = changes
      .map(({ change }) => change.set[name])
      .find((value) => typeof value === "string" && DAY_FIRST.test(value));
    if (!isText || example === undefined) return [];
    const text = `${table.name} is ordered by the text "${String(example)}", which puts 12-31-2023 after 01-01-2024: declare ${name} as timestamp with its format`;
    return [{ code: "text-date-sequence", table: table.name, column: name, text }];
  });
}

/** Random record keys spread a customer over all partitions: no harm here, but only the sequence is left to tell the order. */
function recordKeys({ table, changes, recordKeys: keys }: Seen): Warning[] {
  const rows = new Set(changes.map(({ change }) => change.key));
  const random = keys.length >= ENOUGH && new Set(keys).size === keys.length && rows.size < changes.length;
  if (!random || table.appendOnly) return [];
  const order =
    table.sequence.kind === "log" ? "the connector's position" : table.sequence.columns.join(", ");
  const text = `the records of ${table.name} have keys that never repeat (such as ${keys[0]?.slice(0, 40) ?? ""}), though its rows do: their order across partitions hangs on ${order} alone`;
  return [{ code: "random-record-keys", table: table.name, column: null, text }];
}

function rowKeys({ table, changes }: Seen): Warning[] {
  const keys = new Set(changes.map(({ change }) => change.key));
  const deletes = changes.filter(({ change }) => change.op === "delete").length;
  if (table.appendOnly || table.key.length === 0 || changes.length < 4 * ENOUGH || keys.size < changes.length)
    return [];
  if (deletes === 0 && table.rows === "many") return [];
  const text = `no two of ${changes.length} changes of ${table.name} have the same ${table.key.join(", ")}: updates and deletes will never find their row`;
  return [{ code: "keys-never-repeat", table: table.name, column: table.key[0] ?? null, text }];
}
