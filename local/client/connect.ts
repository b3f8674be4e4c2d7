import { auth, Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { join } from "node:path";
import { Failure } from "../../src/core/failure.ts";
import { login, mcpUrl } from "./login.ts";
import { OAuthSession } from "./oauth-session.ts";
import { sessionFile } from "./session-file.ts";
import type { Target } from "./target.ts";

export interface Connection {
  client: Client;
  /** A token that is good for some minutes at least. */
  token(): Promise<string>;
  close(): Promise<void>;
}

const NAME = "Moltbot command line";

/** A token that ends sooner than this is renewed before it is handed out. */
const FRESH_FOR_MS = 5 * 60_000;

/** Connects with the tokens kept from before; signs in when there are none or they no longer work. */
export async function connect(target: Target, stateFolder: string, show: (url: string) => void): Promise<Connection> {
  const file = sessionFile(join(stateFolder, "client"), target.url);
  const kept = await file.read();
  if (kept) {
    try {
      return await open(target, new OAuthSession(NAME, kept, (state) => file.write(state)));
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw reachable(error, target.url);
      await file.remove();
    }
  }
  const { session } = await login({
    url: target.url,
    clientName: NAME,
    save: (state) => file.write(state),
    ...(target.password === undefined ? { show } : { password: target.password }),
  });
  return await open(target, session);
}

async function open(target: Target, session: OAuthSession): Promise<Connection> {
  const serverUrl = mcpUrl(target.url);
  const client = new Client({ name: NAME, version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(serverUrl, { authProvider: session }));
  return {
    client,
    async token() {
      const { expiresAt } = session;
      if (expiresAt !== undefined && expiresAt < Date.now() + FRESH_FOR_MS) await auth(session, { serverUrl });
      const token = session.tokens()?.access_token;
      if (token === undefined) throw new Failure("unauthorized", "There is no token.");
      return token;
    },
    close: () => client.close(),
  };
}

/** A refused connection in words; other errors as they are. */
function reachable(error: unknown, url: string): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOTFOUND")) {
      return new Failure("unavailable", `Nothing answers at ${url}.`, {
        hint: "Start the Moltbot with: npm start",
        cause: error,
      });
    }
  }
  return error;
}
