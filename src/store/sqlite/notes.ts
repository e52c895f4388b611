import type { Note } from "../../customer/customer.ts";
import { totalsText } from "../document-text.ts";
import type { Header } from "./heads.ts";

/** True when a customer's note of a page is what the page's header says, which is always but after a crash. */
export function isNoteOf(note: Note | undefined, page: Header): boolean {
  return (
    note !== undefined &&
    note.revision === page.revision &&
    note.liveRows === page.liveRows &&
    (note.totals === page.totals || totalsText(note.totals) === totalsText(page.totals))
  );
}

/** A page's name in its customer, and its header. */
interface Headed {
  readonly table: string;
  readonly page: string;
  readonly header: Header;
}

/** True when one of these pages says all that a note does. */
export function isToldBy(
  pages: readonly Headed[],
  { table, page, note }: { readonly table: string; readonly page: string; readonly note: Note },
): boolean {
  return pages.some((each) => each.page === page && each.table === table && isNoteOf(note, each.header));
}
