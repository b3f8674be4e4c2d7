import { z } from "zod";
import { sha256 } from "../core/digest.ts";

/** The few small facts about logins that the OAuth library does not keep. In its namespace, under a prefix of their own. */
export interface LoginStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { expirationTtl: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

const CURSOR = "moltbot:purge-cursor";

/** As long as the longest-lived grant that nobody uses. */
const KEPT_SECONDS = 60 * 24 * 3600;

/** Which principal an e-mail address belongs to: people are known by it at the admin pages, and by an opaque id elsewhere. */
export async function linkAddress(store: LoginStore, email: string, principalId: string): Promise<void> {
  const key = await addressKey(email);
  // Written only when it changes: most sign-ins are of the same person.
  if ((await store.get(key)) !== principalId) await store.put(key, principalId);
}

export async function principalOf(store: LoginStore, email: string): Promise<string | undefined> {
  return (await store.get(await addressKey(email))) ?? undefined;
}

/** Notes when a client was last given a token for a grant, in milliseconds since 1970. */
export async function noteUse(store: LoginStore, grantId: string, now: number): Promise<void> {
  await store.put(useKey(grantId), String(now), { expirationTtl: KEPT_SECONDS });
}

export async function lastUse(store: LoginStore, grantId: string): Promise<number | undefined> {
  const kept = z.coerce
    .number()
    .int()
    .positive()
    .safeParse(await store.get(useKey(grantId)));
  return kept.success ? kept.data : undefined;
}

export async function forgetUse(store: LoginStore, grantId: string): Promise<void> {
  await store.delete(useKey(grantId));
}

/** Where the last purge stopped; undefined when it had come to the end. */
export async function purgeCursor(store: LoginStore): Promise<string | undefined> {
  return (await store.get(CURSOR)) ?? undefined;
}

export async function keepPurgeCursor(store: LoginStore, cursor: string | undefined): Promise<void> {
  await (cursor === undefined ? store.delete(CURSOR) : store.put(CURSOR, cursor));
}

function useKey(grantId: string): string {
  return `moltbot:grant-used:${grantId}`;
}

/** Hashed: keys of the namespace are listed and logged more easily than values. */
async function addressKey(email: string): Promise<string> {
  return `moltbot:person:${await sha256(email.toLowerCase())}`;
}
