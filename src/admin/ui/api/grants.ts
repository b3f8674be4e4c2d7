import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { change, look } from "./call.ts";
import { moment } from "./fields.ts";

const grant = z.object({
  id: z.string(),
  client: z.string(),
  clientId: z.string(),
  redirect: z.string().optional(),
  scopes: z.array(z.string()),
  created: moment,
  expires: moment.optional(),
  lastUsed: moment.optional(),
});
export type Grant = z.output<typeof grant>;

const listSchema = z.object({ grants: z.array(grant) });

const REFRESH_MS = 15_000;

/** What the person who looks has let clients do. */
export const grants = queryOptions({
  queryKey: ["grants"],
  queryFn: ({ signal }) => look("grants", listSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

export const revokeGrant = (id: string) => change("grants/revoke", { id }, z.object({ revoked: z.string() }));
