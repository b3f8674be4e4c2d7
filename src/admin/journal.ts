import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import { type JournalAccess, type JournalPage, journalQuery } from "../journal/access.ts";

/** `GET /admin/api/journal?kind&principal&client&action&outcome&before&limit` → a page, newest first. */
export async function readJournal(url: URL, journal: Pick<JournalAccess, "read">): Promise<JournalPage> {
  const given = Object.fromEntries(url.searchParams);
  const query = journalQuery.safeParse(given);
  // A name given twice would silently count once.
  if (!query.success || Object.keys(given).length !== url.searchParams.size) {
    throw new Failure("invalid_input", "These are no search terms for the journal.", {
      hint: `Each of ${Object.keys(journalQuery.shape).join(", ")} may be given once; limit is at most 200.`,
    });
  }
  return unwrap(await journal.read(query.data));
}
