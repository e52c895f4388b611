/** Room for what is put together here; longer texts are rare and take the ordinary way. */
const scratch = Buffer.alloc(256);

/** Shorter texts are put together in one piece anyway. */
const ALWAYS_ONE = 13;

/**
 * The parts one after the other, as a text in one piece. The engine makes a tree of its parts out of `a + b`, and a stored row
 * would carry that tree through every garbage collection; worth it for texts that rows keep.
 */
export function inOnePiece(a: string, b: string, c: string, d = ""): string {
  const length = a.length + b.length + c.length + d.length;
  if (length < ALWAYS_ONE || length > scratch.length) return a + b + c + d;
  const end = put(d, put(c, put(b, put(a, 0))));
  return end === length ? scratch.toString("latin1", 0, length) : a + b + c + d;
}

/** Writes an ASCII text and answers its end; beyond all room when it is not ASCII. */
function put(text: string, start: number): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return scratch.length + 1;
    scratch[start + at] = code;
  }
  return start + text.length;
}
