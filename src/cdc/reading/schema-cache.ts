import { rowSchema } from "../columns/connect-schema.ts";
import type { TablePlan } from "../table.ts";
import { parseLossless } from "./json.ts";
import { compileRow, type RowColumns } from "./row-columns.ts";
import type { Scanner } from "./scanner.ts";

interface Known {
  readonly bytes: Uint8Array;
  readonly columns: RowColumns;
}

const MAX_KNOWN = 8;

/**
 * The embedded schemas seen in a table's records, by their bytes. A schema is parsed once; afterwards one memory comparison
 * steps over it. That is safe because a JSON value that begins with the bytes of a whole object is that object.
 */
export class SchemaCache {
  readonly #table: TablePlan;
  readonly #known: Known[] = [];

  constructor(table: TablePlan) {
    this.#table = table;
  }

  /** Steps over the schema the scanner stands before; null on anything unusual. */
  take(scanner: Scanner): RowColumns | null {
    if (scanner.peek() !== OPEN_OBJECT) return null;
    const start = scanner.at;
    for (const known of this.#known) {
      const end = start + known.bytes.length;
      if (end > scanner.bytes.length) continue;
      if (scanner.bytes.compare(known.bytes, 0, known.bytes.length, start, end) !== 0) continue;
      scanner.at = end;
      return known.columns;
    }
    return scanner.skip() ? this.#learn(scanner.bytes.subarray(start, scanner.at)) : null;
  }

  #learn(bytes: Buffer): RowColumns | null {
    const text = bytes.toString("utf8");
    const schema = text.includes("\ufffd") ? undefined : parseLossless(text);
    if (schema === undefined) return null;
    const columns = compileRow(this.#table, rowSchema(schema));
    if (this.#known.length === MAX_KNOWN) this.#known.pop();
    this.#known.unshift({ bytes: new Uint8Array(bytes), columns });
    return columns;
  }
}

const OPEN_OBJECT = 0x7b;
