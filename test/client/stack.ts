import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { z } from "zod";
import { startLoginProvider } from "../../local/login/provider.ts";

const FIXTURE = fileURLToPath(new URL("fixture/worker.ts", import.meta.url));

export interface ClientStack {
  url: string;
  password: string;
  /** As `npm start` leaves it: with run.json. */
  stateFolder: string;
  close(): Promise<void>;
}

/** The real OAuth Worker with a fixed bot behind it, and the real login provider. */
export async function clientStack(): Promise<ClientStack> {
  const stateFolder = await mkdtemp(join(tmpdir(), "client-"));
  // Held until the provider takes it: the Worker has to know it first, and needs a while to come up.
  const held = createServer().listen(0, "127.0.0.1");
  await once(held, "listening");
  const port = z.object({ port: z.number() }).parse(held.address()).port;
  const login = { id: "worker", secret: "worker secret" };
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: "client-test",
          main: FIXTURE,
          compatibility_date: "2026-10-01",
          compatibility_flags: ["nodejs_compat", "global_fetch_strictly_public"],
          kv_namespaces: [{ binding: "OAUTH_KV", id: "oauth" }],
          vars: {
            OIDC_ISSUER: `http://127.0.0.1:${port}`,
            OIDC_CLIENT_ID: login.id,
            OIDC_CLIENT_SECRET: login.secret,
            ALLOWED_EMAILS: "owner@localhost.test",
            ANTHROPIC_API_KEY: "none",
          },
        },
      },
    ],
  });
  const { origin } = (await harness.listen()).url;
  held.close();
  await once(held, "close");
  const provider = await startLoginProvider({
    port,
    stateDir: join(stateFolder, "login"),
    clients: {
      worker: { ...login, redirectUris: [`${origin}/callback`] },
      access: { id: "pages", secret: "pages secret", redirectUris: [`${origin}/authorized`] },
    },
    people: ["owner@localhost.test"],
    log: () => {},
  });
  const [{ passwordFile }] = provider.people;
  await writeFile(join(stateFolder, "run.json"), JSON.stringify({ url: origin, pid: process.pid, passwordFile }));
  return {
    url: origin,
    password: (await readFile(passwordFile, "utf8")).trim(),
    stateFolder,
    async close() {
      await provider.close();
      await harness.close();
      await rm(stateFolder, { recursive: true });
    },
  };
}
