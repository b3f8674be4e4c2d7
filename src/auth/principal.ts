import { z } from "zod";
import type { Config } from "../config/config.ts";
import { sha256 } from "../core/digest.ts";

/** How the issuer is asked later whether the person may still come in. */
export const sessionSchema = z.object({ refreshToken: z.string().optional(), accessToken: z.string().optional() });
export type UpstreamSession = z.output<typeof sessionSchema>;

/** Who is calling, as handed to every tool call. */
export const principalSchema = z.object({
  /** Opaque and stable per person: tokens and storage keys carry it, so it must not be an e-mail address. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  email: z.string(),
  name: z.string().optional(),
});

export type Principal = z.output<typeof principalSchema>;

/** A verified token: whose it is, which client holds it, and what the person let that client do. */
export interface Grant {
  principal: Principal;
  clientId: string;
  scopes: readonly string[];
}

/** What is stored, encrypted, with a grant: the person, and how the issuer is asked about them again. */
export const grantPropsSchema = principalSchema.extend({ session: sessionSchema.default({}) });

const authSchema = z.object({ clientId: z.string(), scope: z.array(z.string()) });

/** What the OAuth provider has verified and put on the context of a request to the MCP endpoint. */
export function grantOf(ctx: { props?: unknown; auth?: unknown }): Grant {
  const { clientId, scope } = authSchema.parse(ctx.auth);
  return { principal: principalSchema.parse(ctx.props), clientId, scopes: scope };
}

/** Whether the allow-list has this address. Addresses are compared without regard to case. */
export function isAllowed(email: string, login: Config["login"]): boolean {
  const address = email.toLowerCase();
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return login.emails.includes(address) || login.domains.includes(domain);
}

/** The opaque id of a person: a hash over what the issuer promises never to reassign. */
export async function principalId(issuer: string, subject: string): Promise<string> {
  return (await sha256(`${issuer}\n${subject}`)).slice(0, 32);
}
