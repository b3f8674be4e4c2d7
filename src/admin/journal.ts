import { unwrap } from "../core/reply.ts";
import { journalQuery } from "../journal/access.ts";
import { route } from "./route.ts";

/** A page of the journal, newest first. */
export const JOURNAL_ROUTES = [
  route({
    method: "GET",
    path: "journal",
    input: journalQuery,
    run: async (query, { admin }) => unwrap(await admin.journal.read(query)),
  }),
];
