import { z } from "zod";
import type { Visitor } from "../auth/access.ts";
import { Failure } from "../core/failure.ts";
import { NOTHING } from "./input.ts";
import { route } from "./route.ts";

/** What the visitor let MCP clients do. */
export const GRANT_ROUTES = [
  route({
    method: "GET",
    path: "grants",
    input: NOTHING,
    run: async (_input, { admin, visitor }) => ({ grants: await admin.grants.list(emailOf(visitor)) }),
  }),
  route({
    method: "POST",
    path: "grants/revoke",
    input: z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_-]{16}$/) }),
    async run({ id }, { admin, visitor }) {
      if (await admin.grants.revoke(emailOf(visitor), id)) return { revoked: id };
      throw new Failure("not_found", "You gave no client a grant with that id.");
    },
  }),
];

function emailOf(visitor: Visitor): string {
  if (visitor.kind === "person") return visitor.email;
  throw new Failure("forbidden", "A service token has no grants of its own.");
}
