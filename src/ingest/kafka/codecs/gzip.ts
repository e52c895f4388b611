import { promisify } from "node:util";
import { gunzip, gzip as pack } from "node:zlib";

const unpack = promisify(gunzip);

/** Packs, for producers in the same process: the client library has its codecs in common for all. */
export const gzip: (bytes: Buffer) => Promise<Buffer> = promisify(pack);

/** Unpacks gzip, several members one after the other too. Throws when it is broken or larger than `maxBytes`. */
export function ungzip(packed: Buffer, maxBytes: number): Promise<Buffer> {
  return unpack(packed, { maxOutputLength: maxBytes });
}
