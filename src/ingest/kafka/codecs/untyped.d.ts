declare module "lz4js" {
  /** The most a frame can unpack to, by what it says of itself. */
  export function decompressBound(packed: Uint8Array): number;
  /** Unpacks a frame into `room` and answers its size, also when that is more than there is room for. */
  export function decompressFrame(packed: Uint8Array, room: Uint8Array): number;
}

declare module "kafkajs-snappy" {
  /** Makes a codec for the client library. */
  export default function codec(): { decompress(packed: Buffer): Promise<Buffer> };
}
