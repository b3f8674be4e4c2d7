import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHash, randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export interface Person {
  sub: string;
  email: string;
  name: string;
}

/** How an identity token is made; a test changes one thing about it. */
export interface Signing {
  alg: string;
  /** "own" is published; "foreign" is another key under the published key's name. */
  key: "own" | "foreign" | "none" | "secret";
  claims: Record<string, unknown>;
}

export interface Issuer {
  url: string;
  client: { id: string; secret: string };
  /** Who is signed in with the browser that comes next. */
  person: Person;
  /** What happens to the tokens of the next sign-in. */
  forge: (signing: Signing) => Signing;
  /** Whether sign-ins come with a refresh token. */
  refreshTokens: boolean;
  /** The issuer answers nothing but 503. */
  down: boolean;
  /** Ends every session of a person: neither refresh tokens nor access tokens are good any more. */
  endSessions(email: string): void;
  /** What the authorization endpoint was asked, last. */
  asked: URLSearchParams;
  /** How often the key set was fetched. */
  keyFetches: number;
  /** A ticket as Access gives it to a browser or a service. */
  ticket(claims: Record<string, unknown>, change?: (signing: Signing) => Signing): Promise<string>;
  close(): Promise<void>;
}

interface Code {
  person: Person;
  nonce: string | null;
  challenge: string;
  redirect: string;
}

const LIFE_S = 300;

/**
 * An OpenID issuer and Access team on loopback that signs whatever a test wants, and signs people in without a
 * question. It speaks the real protocol and checks the client's secret, redirect address and PKCE like a real one.
 */
export async function startIssuer(person: Person): Promise<Issuer> {
  const own = await generateKeyPair("RS256", { extractable: true });
  const foreign = await generateKeyPair("RS256", { extractable: true });
  const kid = randomUUID();
  const codes = new Map<string, Code>();
  const sessions = new Map<string, { person: Person; refresh: boolean }>();
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The issuer has no port.");
  const url = `http://127.0.0.1:${address.port}`;

  const issuer: Issuer = {
    url,
    client: { id: "worker", secret: "the worker's secret at the issuer" },
    person,
    forge: (signing) => signing,
    refreshTokens: true,
    down: false,
    asked: new URLSearchParams(),
    keyFetches: 0,
    endSessions(email) {
      for (const [key, session] of sessions) if (session.person.email === email) sessions.delete(key);
    },
    ticket: (claims, change = (signing) => signing) => {
      const now = Math.floor(Date.now() / 1000);
      const common = { iss: url, aud: ["pages"], type: "app", iat: now, nbf: now, exp: now + LIFE_S };
      return signed(change({ alg: "RS256", key: "own", claims: { ...common, ...claims } }));
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function signed({ alg, key, claims }: Signing): Promise<string> {
    if (key === "none") {
      return `${part({ alg, kid })}.${part(claims)}.`;
    }
    const signer = new SignJWT(claims).setProtectedHeader({ alg, kid });
    if (key === "secret") return await signer.sign(new TextEncoder().encode(issuer.client.secret));
    return await signer.sign(key === "own" ? own.privateKey : foreign.privateKey);
  }

  async function identityToken(who: Person, nonce: string | null): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url,
      aud: issuer.client.id,
      sub: who.sub,
      email: who.email,
      name: who.name,
      iat: now,
      exp: now + LIFE_S,
      ...(nonce === null ? {} : { nonce }),
    };
    return await signed(issuer.forge({ alg: "RS256", key: "own", claims }));
  }

  async function tokensFor(who: Person, nonce: string | null): Promise<Record<string, unknown>> {
    const access = randomUUID();
    sessions.set(access, { person: who, refresh: false });
    const refresh = randomUUID();
    if (issuer.refreshTokens) sessions.set(refresh, { person: who, refresh: true });
    return {
      token_type: "Bearer",
      access_token: access,
      expires_in: LIFE_S,
      id_token: await identityToken(who, nonce),
      ...(issuer.refreshTokens ? { refresh_token: refresh } : {}),
    };
  }

  async function token(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const form = new URLSearchParams(await bodyOf(request));
    const { id, secret } = issuer.client;
    const credentials = `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;
    if (request.headers.authorization !== credentials) return [401, { error: "invalid_client" }];
    if (form.get("grant_type") === "refresh_token") {
      const session = sessions.get(form.get("refresh_token") ?? "");
      if (!session?.refresh) return [400, { error: "invalid_grant" }];
      return [200, await tokensFor(session.person, null)];
    }
    const code = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const verified = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!code || verified !== code.challenge || form.get("redirect_uri") !== code.redirect) {
      return [400, { error: "invalid_grant" }];
    }
    return [200, await tokensFor(code.person, code.nonce)];
  }

  function authorize(query: URLSearchParams): string {
    issuer.asked = query;
    const code = randomUUID();
    const redirect = query.get("redirect_uri") ?? "";
    codes.set(code, {
      person: issuer.person,
      nonce: query.get("nonce"),
      challenge: query.get("code_challenge") ?? "",
      redirect,
    });
    return `${redirect}?${new URLSearchParams({ code, state: query.get("state") ?? "", iss: url })}`;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (issuer.down) return void json(503, {});
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return void json(200, {
          issuer: url,
          authorization_endpoint: `${url}/authorization`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          userinfo_endpoint: `${url}/userinfo`,
          scopes_supported: ["openid", "email", "profile", "offline_access"],
        });
      case "/authorization":
        return void response.writeHead(302, { location: authorize(searchParams) }).end();
      case "/token":
        return void json(...(await token(request)));
      case "/userinfo": {
        const session = sessions.get((request.headers.authorization ?? "").replace("Bearer ", ""));
        return void (session ? json(200, session.person) : json(401, { error: "invalid_token" }));
      }
      case "/jwks":
      case "/cdn-cgi/access/certs":
        issuer.keyFetches += 1;
        return void json(200, { keys: [{ ...(await exportJWK(own.publicKey)), kid, use: "sig", alg: "RS256" }] });
      default:
        return void json(404, {});
    }
  }

  return issuer;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
