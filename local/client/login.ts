import { auth, extractWWWAuthenticateParams } from "@modelcontextprotocol/client";
import { Failure } from "../../src/core/failure.ts";
import { driveSignIn } from "./drive-sign-in.ts";
import { OAuthSession, type SessionState } from "./oauth-session.ts";
import { listenForRedirect } from "./redirect-listener.ts";

export interface LoginOptions {
  /** Base URL of the Worker; the MCP endpoint is this plus /mcp. */
  url: string;
  /** The owner's password: consent and sign-in are then done by code. */
  password?: string;
  /** Whose password it is, where several people can sign in; left out, the owner's. */
  email?: string;
  /** Without a password: shows this address to a person, who does it in a browser. */
  show?: (authorizationUrl: string) => void;
  /** Permissions to ask for and to tick; left out, what the server advertises. */
  scopes?: readonly string[];
  decision?: "approve" | "deny";
  clientName?: string;
  save?: (state: SessionState) => Promise<void>;
  signal?: AbortSignal;
}

export interface Login {
  accessToken: string;
  /** What was granted. */
  scopes: string[];
  clientId: string;
  /** For a transport that refreshes the token by itself. */
  session: OAuthSession;
}

/** A person needs a while to find the password; code needs two seconds. */
const PATIENCE_MS = 5 * 60_000;

/**
 * The whole way from nothing to a token: challenge, discovery, registration, PKCE, consent, sign-in,
 * exchange. Each login registers a client anew, because its loopback port is a new one too.
 */
export async function login(options: LoginOptions): Promise<Login> {
  const signal = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(options.signal ? [options.signal] : [])]);
  const serverUrl = mcpUrl(options.url);
  const challenge = await challengeOf(serverUrl, signal);
  const listener = await listenForRedirect();
  try {
    const session = new OAuthSession(
      options.clientName ?? "Moltbot command line",
      { redirectUrl: listener.url },
      options.save ?? (async () => {}),
    );
    const scope = options.scopes?.join(" ") ?? challenge.scope;
    const shared = {
      serverUrl,
      ...(scope === undefined ? {} : { scope }),
      ...(challenge.resourceMetadataUrl ? { resourceMetadataUrl: challenge.resourceMetadataUrl } : {}),
    };
    await auth(session, shared);
    const { authorizationUrl } = session;
    if (authorizationUrl === undefined) throw new Failure("upstream", "The server gave no address to sign in at.");

    const { password, email, show, scopes, decision = "approve" } = options;
    if (password !== undefined) {
      await driveSignIn(authorizationUrl.href, listener.url, {
        password,
        decision,
        ...(email === undefined ? {} : { email }),
        ...(scopes ? { scopes } : {}),
      });
    } else if (show) show(authorizationUrl.href);
    else throw new Failure("unauthorized", "There is no password to sign in with.");

    const answer = await listener.arrived(signal);
    const authorizationCode = codeOf(answer, session.expectedState);
    const iss = answer.get("iss");
    await auth(session, { ...shared, authorizationCode, ...(iss === null ? {} : { iss }) });
    return loginOf(session);
  } finally {
    await listener.close();
  }
}

export function mcpUrl(base: string): URL {
  return new URL(`${base.replace(/\/+$/, "")}/mcp`);
}

function loginOf(session: OAuthSession): Login {
  const tokens = session.tokens();
  const client = session.clientInformation();
  if (tokens === undefined || client === undefined) throw new Failure("upstream", "The server gave no token.");
  const scopes = tokens.scope?.split(" ").filter((scope) => scope !== "") ?? [];
  return { accessToken: tokens.access_token, scopes, clientId: client.client_id, session };
}

function codeOf(answer: URLSearchParams, expectedState: string): string {
  if (answer.get("state") !== expectedState)
    throw new Failure("unauthorized", "The answer belongs to another sign-in.");
  const code = answer.get("code");
  if (code !== null) return code;
  const error = answer.get("error") ?? "no code";
  throw new Failure("forbidden", `The sign-in was refused: ${answer.get("error_description") ?? error}`);
}

/** Asks without a token; the refusal says where to get one. */
async function challengeOf(url: URL, signal: AbortSignal) {
  const response = await fetch(url, { method: "POST", signal }).catch((cause: unknown) => {
    throw new Failure("unavailable", `Nothing answers at ${url.origin}.`, {
      hint: "Start the Moltbot with: npm start",
      cause,
    });
  });
  await response.body?.cancel();
  if (response.status === 401) return extractWWWAuthenticateParams(response);
  throw new Failure("upstream", `${url.href} is no MCP endpoint with OAuth: it answered with ${response.status}.`);
}
