import type { AuthRequest, GrantSummary, OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import { z } from "zod";
import { forgetUse, lastUse, type LoginStore, principalOf } from "./store.ts";

/** What a person let a client do. Times are in milliseconds since 1970. */
export interface GrantView {
  id: string;
  /** The name it gave itself. */
  client: string;
  clientId: string;
  /** Where its tokens were sent. */
  redirect: string | undefined;
  scopes: string[];
  created: number;
  expires: number | undefined;
  /** When it was last given a token, which clients in use ask for every hour. */
  lastUsed: number | undefined;
}

/** The grants of one person, whom the admin pages know by the e-mail address. */
export interface Grants {
  list(email: string): Promise<GrantView[]>;
  /** False when the person has no such grant. Its tokens stop working at once. */
  revoke(email: string, id: string): Promise<boolean>;
}

const metadataSchema = z.object({ client: z.string(), remembered: z.boolean() });
export type GrantMetadata = z.output<typeof metadataSchema>;

export function grantsOf(oauth: OAuthHelpers, store: LoginStore): Grants {
  const own = async (email: string) => {
    const principal = await principalOf(store, email);
    return principal === undefined ? [] : await allGrants(oauth, principal);
  };
  return {
    async list(email) {
      const found = await own(email);
      const views = await Promise.all(found.map((grant) => view(grant, store)));
      return views.toSorted((a, b) => b.created - a.created);
    },
    async revoke(email, id) {
      const grant = (await own(email)).find((candidate) => candidate.id === id);
      if (!grant) return false;
      await oauth.revokeGrant(grant.id, grant.userId);
      await forgetUse(store, grant.id);
      return true;
    },
  };
}

/**
 * A grant of this person that covers what the client asks for now, at the same address, and that was given with the
 * wish not to be asked again.
 */
export async function liveGrant(
  oauth: OAuthHelpers,
  principal: string,
  asked: AuthRequest,
): Promise<GrantSummary | undefined> {
  return (await allGrants(oauth, principal)).find(
    ({ clientId, redirectUri, scope, metadata }) =>
      clientId === asked.clientId &&
      redirectUri === asked.redirectUri &&
      metadataSchema.safeParse(metadata).data?.remembered === true &&
      asked.scope.every((name) => scope.includes(name)),
  );
}

/**
 * Ends what the same client was given before at the same address, once it has taken the new grant. Not sooner: whoever
 * can send a browser to the sign-in could otherwise cut off a client that the person uses.
 */
export async function revokeFormer(oauth: OAuthHelpers, principal: string, id: string): Promise<void> {
  const grants = await allGrants(oauth, principal);
  const taken = grants.find((grant) => grant.id === id);
  if (!taken) return;
  const former = grants.filter(
    (grant) => grant.id !== id && grant.clientId === taken.clientId && grant.redirectUri === taken.redirectUri,
  );
  await Promise.all(former.map((grant) => oauth.revokeGrant(grant.id, principal)));
}

async function allGrants(oauth: OAuthHelpers, principal: string): Promise<GrantSummary[]> {
  const grants: GrantSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await oauth.listUserGrants(principal, cursor === undefined ? {} : { cursor });
    grants.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return grants;
}

async function view(grant: GrantSummary, store: LoginStore): Promise<GrantView> {
  const metadata = metadataSchema.safeParse(grant.metadata);
  return {
    id: grant.id,
    client: metadata.success ? metadata.data.client : grant.clientId,
    clientId: grant.clientId,
    redirect: grant.redirectUri,
    scopes: grant.scope,
    created: grant.createdAt * 1000,
    expires: grant.expiresAt === undefined ? undefined : grant.expiresAt * 1000,
    lastUsed: await lastUse(store, grant.id),
  };
}
