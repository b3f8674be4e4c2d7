import { z } from "zod";
import { JOURNAL_KINDS, type JournalEntry } from "../core/journal.ts";
import type { Reply } from "../core/reply.ts";

const exact = z.string().min(1).max(300).exactOptional();

/** Which entries are wanted; every field that is given has to be equal. Numbers may come as the text of a URL. */
export const journalQuery = z.strictObject({
  kind: z.enum(JOURNAL_KINDS).exactOptional(),
  principal: exact,
  client: exact,
  action: exact,
  outcome: exact,
  /** Go on with older ones: the `before` of the last page. */
  before: z.coerce.number().int().positive().exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type JournalQuery = z.output<typeof journalQuery>;

export interface JournalPage {
  /** Newest first, in the order they were written: a long call stands where it ended. */
  entries: (JournalEntry & { id: number })[];
  /** Absent on the last page. */
  before?: number;
}

export interface JournalLimits {
  /** Entries older than this are never shown again, and deleted soon after. ms. */
  keepMs: number;
  /** The newest so many are kept. */
  entries: number;
}

/** The journal as other folders see it. */
export interface JournalAccess {
  record(entries: readonly JournalEntry[]): Promise<void>;
  read(query: JournalQuery): Promise<Reply<JournalPage>>;
}
