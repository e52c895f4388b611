import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const unpack = promisify(gunzip);

/** Unpacks gzip, several members one after the other too. Throws when it is broken or larger than `maxBytes`. */
export function ungzip(packed: Buffer, maxBytes: number): Promise<Buffer> {
  return unpack(packed, { maxOutputLength: maxBytes });
}
