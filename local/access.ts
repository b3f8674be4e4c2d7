import { z } from "zod";
import { ADMIN_PATH } from "../src/admin/routes.ts";
import { base64url, randomBytes } from "../src/core/encoding.ts";
import { AUTHORIZED_PATH } from "./access-path.ts";

/** What the launcher passes for it; without it the owner has an Access of their own in front. */
const settingsSchema = z.object({
  PUBLIC_URL: z.url(),
  CONTROL_UI_URL: z.url(),
  ACCESS_TEAM_DOMAIN: z.url(),
  ACCESS_AUD: z.string(),
  LOCAL_ACCESS_SECRET: z.string(),
});
type Settings = z.output<typeof settingsSchema>;

const TICKET = "CF_Authorization";
const ATTEMPT = "local-access";
const ATTEMPT_SECONDS = 900;

const attemptSchema = z.object({ state: z.string(), verifier: z.string(), to: z.string().regex(/^\/(?![/\\])/) });
const tokensSchema = z.object({ id_token: z.string(), expires_in: z.number() });
const claimsSchema = z.object({ exp: z.number() });

/**
 * Access's part on one machine: it stands in front of the pages for people, sends a browser without a ticket to the
 * sign-in page, and hands it the ticket afterwards. The Worker's guard behind it is the one that decides, here as
 * there. Undefined when the request is the Worker's to answer.
 */
export async function playAccess(request: Request, env: unknown): Promise<Response | undefined> {
  const settings = settingsSchema.safeParse(env);
  if (!settings.success) return undefined;
  const url = new URL(request.url);
  // Each host has its own ticket, as with Access.
  const { PUBLIC_URL, CONTROL_UI_URL } = settings.data;
  const isControl = url.host === new URL(CONTROL_UI_URL).host;
  const site = new URL(isControl ? CONTROL_UI_URL : PUBLIC_URL).origin;
  if (url.pathname === AUTHORIZED_PATH) return await welcome(request, settings.data, site);
  if (!(isControl || url.pathname.startsWith(ADMIN_PATH)) || request.method !== "GET") return undefined;
  // A page's own script gets the guard's answer; only what a person loads can be sent elsewhere.
  if (!(request.headers.get("accept") ?? "").includes("text/html")) return undefined;
  if (cookieOf(request, TICKET) !== undefined) return undefined;
  return await send(settings.data, site, `${url.pathname}${url.search}`);
}

async function send(settings: Settings, site: string, to: string): Promise<Response> {
  const attempt = { state: randomToken(), verifier: randomToken(), to };
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(attempt.verifier));
  const url = new URL(`${settings.ACCESS_TEAM_DOMAIN}/auth`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: settings.ACCESS_AUD,
    redirect_uri: `${site}${AUTHORIZED_PATH}`,
    scope: "openid email profile",
    state: attempt.state,
    code_challenge: base64url(new Uint8Array(challenge)),
    code_challenge_method: "S256",
  }).toString();
  const cookie = `${ATTEMPT}=${btoa(JSON.stringify(attempt))}; Path=${AUTHORIZED_PATH}; HttpOnly; SameSite=Lax; Max-Age=${ATTEMPT_SECONDS}`;
  return redirect(url.toString(), [cookie]);
}

async function welcome(request: Request, settings: Settings, site: string): Promise<Response> {
  const answer = new URL(request.url).searchParams;
  const attempt = attemptOf(cookieOf(request, ATTEMPT));
  if (!attempt || answer.get("state") !== attempt.state) {
    return new Response("This sign-in was not begun in this browser. Load the page again.\n", { status: 400 });
  }
  const response = await fetch(`${settings.ACCESS_TEAM_DOMAIN}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${settings.ACCESS_AUD}:${settings.LOCAL_ACCESS_SECRET}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code") ?? "",
      redirect_uri: `${site}${AUTHORIZED_PATH}`,
      code_verifier: attempt.verifier,
    }),
  });
  const tokens = tokensSchema.safeParse(await response.json());
  if (!tokens.success) return new Response("The sign-in was refused. Load the page again.\n", { status: 403 });
  const ticket = tokens.data.id_token;
  const seconds = Math.max(0, claimsOf(ticket).exp - Math.floor(Date.now() / 1000));
  return redirect(attempt.to, [
    `${TICKET}=${ticket}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`,
    `${ATTEMPT}=; Path=${AUTHORIZED_PATH}; Max-Age=0`,
  ]);
}

/** Unverified, and that is enough here: it only says how long the browser keeps the cookie. */
function claimsOf(token: string): z.output<typeof claimsSchema> {
  const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return claimsSchema.parse(JSON.parse(atob(payload)));
}

function attemptOf(cookie: string | undefined): z.output<typeof attemptSchema> | undefined {
  try {
    return attemptSchema.safeParse(JSON.parse(atob(cookie ?? ""))).data;
  } catch {
    return undefined;
  }
}

function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.headers.get("cookie") ?? "").split(/;\s*/);
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function redirect(to: string, cookies: string[]): Response {
  const headers = new Headers({ location: to, "cache-control": "no-store" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 302, headers });
}

function randomToken(): string {
  return base64url(randomBytes(32));
}
