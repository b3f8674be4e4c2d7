import { infiniteQueryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { look } from "./call.ts";
import { moment } from "./fields.ts";

export const KINDS = ["call", "login", "model", "admin"] as const;

const entry = z.object({
  id: z.number(),
  kind: z.enum(KINDS),
  at: moment,
  principal: z.string(),
  client: z.string().optional(),
  action: z.string(),
  digest: z.string().optional(),
  outcome: z.string(),
  ms: z.number(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type Entry = z.output<typeof entry>;

const pageSchema = z.object({ entries: z.array(entry), before: z.number().optional() });

/** What an entry has to be equal in; empty: anything. */
export interface JournalFilter {
  kind: string;
  action: string;
  outcome: string;
  client: string;
  principal: string;
}

const PAGE = 50;

/** Newest first, page by page. */
export const journal = (filter: JournalFilter) =>
  infiniteQueryOptions({
    queryKey: ["journal", filter],
    queryFn: ({ pageParam, signal }) =>
      look("journal", pageSchema, { query: { ...filter, before: pageParam, limit: PAGE }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ before }) => before,
  });
