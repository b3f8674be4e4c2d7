import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startStack } from "../../local/stack.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

export const OWNER = { sub: "owner-at-the-issuer", email: "owner@example.com", name: "Owner" };
export const FRIEND = { sub: "friend-at-the-issuer", email: "friend@example.com", name: "Friend" };
/** Signs in at the issuer like the others, but is on no list. */
export const STRANGER = { sub: "stranger-at-the-issuer", email: "stranger@example.net", name: "Stranger" };

export const SERVICE_TOKEN = "known-service.access";

const countsSchema = z.object({ renewals: z.number(), starts: z.number(), running: z.boolean() });

export interface AuthStack {
  url: string;
  issuer: Issuer;
  counts(): Promise<z.output<typeof countsSchema>>;
  /** Names in the OAuth storage. */
  keys(prefix?: string): Promise<string[]>;
  read(key: string): Promise<string>;
  store(entries: Record<string, string>): Promise<void>;
  /** Puts an object into the bucket, behind the Worker's back. */
  place(key: string, content: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** Has one model call a day counted, today and on so many days before. */
  countCalls(days: number): Promise<void>;
  /** What the schedule does. */
  runSchedule(): Promise<void>;
  /** The same Worker and storage with other settings, as after a deployment. */
  deploy(variables: Record<string, string>): Promise<void>;
  /** What the Worker has logged. */
  log(): string;
  close(): Promise<void>;
}

/** The real Worker with an issuer that forges on request, and a sandbox that nobody has started. */
export async function authStack(variables: Record<string, string> = {}): Promise<AuthStack> {
  const stateDir = await mkdtemp(join(tmpdir(), "moltbot-auth-"));
  const issuer = await startIssuer(OWNER);
  const start = (changed: Record<string, string>, port?: number) =>
    startStack({
      stateDir,
      ...(port === undefined ? {} : { port }),
      entry: join(import.meta.dirname, "fixture", "worker.ts"),
      variables: {
        OIDC_ISSUER: issuer.url,
        OIDC_CLIENT_ID: issuer.client.id,
        OIDC_CLIENT_SECRET: issuer.client.secret,
        ALLOWED_EMAILS: `${OWNER.email},${FRIEND.email}`,
        ACCESS_TEAM_DOMAIN: issuer.url,
        ACCESS_AUD: "pages",
        ACCESS_SERVICE_TOKENS: SERVICE_TOKEN,
        ...changed,
      },
    });
  let stack = await start(variables).catch(async (error: unknown) => {
    await issuer.close();
    throw error;
  });
  const { url } = stack;
  return {
    url,
    issuer,
    counts: async () => countsSchema.parse(await (await fetch(`${url}/test/counts`)).json()),
    keys: async (prefix = "") =>
      z.array(z.string()).parse(await (await fetch(`${url}/test/keys?prefix=${encodeURIComponent(prefix)}`)).json()),
    read: async (key) => await (await fetch(`${url}/test/get?key=${encodeURIComponent(key)}`)).text(),
    async store(entries) {
      await fetch(`${url}/test/put`, { method: "POST", body: JSON.stringify(entries) });
    },
    async place(key, content) {
      await fetch(`${url}/test/bucket?key=${encodeURIComponent(key)}`, { method: "PUT", body: content });
    },
    async countCalls(days) {
      await fetch(`${url}/test/usage?days=${days}`);
    },
    async runSchedule() {
      const { status } = await fetch(`${url}/test/scheduled`);
      if (status !== 204) throw new Error(`The schedule failed with ${status}.`);
    },
    async deploy(changed) {
      // Somebody else on this machine may have the port for a moment.
      for (let tries = 0; tries < 5; tries += 1) {
        await stack.close();
        stack = await start(changed, Number(new URL(url).port));
        if (stack.url === url) return;
      }
      throw new Error("The Worker has another address than before.");
    },
    log: () => readFileSync(join(stateDir, "moltbot.log"), "utf8"),
    async close() {
      await stack.close();
      await issuer.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
