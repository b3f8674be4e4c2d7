import { insufficientScope, type OAuthResourceAuth } from "@cloudflare/workers-oauth-provider";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { SCOPE_NAMES, type Scope } from "../core/scope.ts";

const authSchema = z.object({
  token: z.string(),
  audience: z.string(),
  scope: z.array(z.string()),
}) satisfies z.ZodType<OAuthResourceAuth>;

/**
 * The 403 that tells a client which permissions to ask for next. Clients take the list for the whole, so it names
 * those the token has as well as the one it lacks.
 */
export function scopeChallenge(ctx: { props?: unknown; auth?: unknown }, needed: Scope): Response {
  const auth = authSchema.parse(ctx.auth);
  const whole = SCOPE_NAMES.filter((scope) => scope === needed || auth.scope.includes(scope));
  return insufficientScope(auth, whole, `This needs the permission ${needed}, which was not given.`);
}

/** For a person who has been taken off the allow-list: the token is good for nothing any more. */
export function outsider(config: Config): Response {
  const metadata = `${config.publicUrl}/.well-known/oauth-protected-resource${new URL(config.mcpUrl).pathname}`;
  return Response.json(
    { error: "invalid_token", error_description: "This account may no longer use this Moltbot." },
    {
      status: 401,
      headers: {
        "cache-control": "no-store",
        "www-authenticate": `Bearer realm="OAuth", error="invalid_token", resource_metadata="${metadata}"`,
      },
    },
  );
}
