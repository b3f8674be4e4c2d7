import { once } from "node:events";
import { join } from "node:path";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { errors, Provider } from "oidc-provider";
import { type Person, readLoginState } from "./people.ts";
import { type Page, signInPage, stoppedPage } from "./page.ts";
import { passwordCheck } from "./password-check.ts";
import { type OidcClient, providerOptions } from "./provider-options.ts";

export interface LoginProvider {
  issuer: string;
  /** Who can sign in, and where the passwords are; the first is the owner. */
  people: readonly [Person, ...Person[]];
  close(): Promise<void>;
}

/** A sign-in form is one e-mail address and one password. */
const MOST_FORM_BYTES = 4_096;

/**
 * An OpenID provider on loopback in the place of Cloudflare Access, for the people of this machine. Their passwords
 * are made at the first start and kept in `stateDir` with keys and accounts. `path` is put behind the issuer's
 * origin, as Access does.
 */
export async function startLoginProvider(options: {
  port?: number;
  path?: string;
  stateDir: string;
  clients: { worker: OidcClient; access: OidcClient };
  /** E-mail addresses; the first is the owner's. */
  people: readonly string[];
  /** Takes one line per sign-in try and per failure. */
  log(line: string): void;
  now?: () => number;
}): Promise<LoginProvider> {
  const { path = "" } = options;
  const { jwks, people } = await readLoginState(options.stateDir, options.people);
  const [owner] = people;
  const log = (outcome: string, who?: string, cause?: unknown) => {
    const why = cause instanceof Error ? { cause: cause.stack } : {};
    options.log(JSON.stringify({ operation: "local login", ...(who ? { who } : {}), outcome, ...why }));
  };
  const accounts = new Map<string, { person: Person; check: Awaited<ReturnType<typeof passwordCheck>> }>();
  for (const person of people) {
    accounts.set(person.email, { person, check: await passwordCheck(person.password, options.now ?? Date.now) });
  }

  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The login provider has no port.");
  const host = `127.0.0.1:${address.port}`;
  const origin = `http://${host}`;
  const issuer = `${origin}${path}`;

  const provider = new Provider(
    issuer,
    providerOptions({
      clients: options.clients,
      people,
      jwks,
      sessionsFile: join(options.stateDir, "sessions.json"),
      interactionPath: (uid) => `${path}/sign-in/${uid}`,
    }),
  );
  provider.on("server_error", (_context, cause) => log("internal", undefined, cause));
  const answerOthers = provider.callback();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Another name for this address means a web page is trying to reach it through its own domain.
    if (request.headers.host !== host) return send(response, 421, stoppedPage("Wrong host."));
    const url = request.url ?? "/";
    if (path !== "" && url !== path && !url.startsWith(`${path}/`))
      return send(response, 404, stoppedPage("Not found."));
    const inside = url.slice(path.length) || "/";
    const [, uid] = /^\/sign-in\/([\w-]+)$/.exec(inside) ?? [];
    if (uid !== undefined) return signIn(request, response, uid);
    // Where Access publishes the keys of a team; here one set signs for both.
    if (inside === "/cdn-cgi/access/certs") return answerOthers(Object.assign(request, { url: "/jwks" }), response);
    await answerOthers(Object.assign(request, { originalUrl: url, url: inside }), response);
  }

  async function signIn(request: IncomingMessage, response: ServerResponse, uid: string): Promise<void> {
    // Looked up by a cookie that only the browser in which the sign-in began has.
    const interaction = await provider.interactionDetails(request, response).catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    });
    if (interaction?.uid !== uid) return send(response, 400, stoppedPage("This sign-in has expired."));

    const form = (problem?: string, email = owner.email) =>
      signInPage({
        action: `${path}/sign-in/${uid}`,
        email,
        alone: people.length === 1,
        passwordFile: people.length === 1 ? owner.passwordFile : options.stateDir,
        ...(problem === undefined ? {} : { problem }),
      });
    if (request.method === "GET" || request.method === "HEAD") return send(response, 200, form());
    if (request.method !== "POST") return send(response, 405, stoppedPage("Only GET and POST."));
    const from = request.headers.origin;
    if (from !== undefined && from !== origin)
      return send(response, 403, stoppedPage("This form was sent from another site."));

    const fields = new URLSearchParams(await readForm(request));
    const email = (fields.get("email") ?? owner.email).trim().toLowerCase();
    const account = accounts.get(email);
    // An address that nobody has takes as long as a wrong password, and counts as the owner's try.
    const verdict = await (account ?? accounts.get(owner.email))?.check(account ? (fields.get("password") ?? "") : "");
    log(verdict?.kind ?? "wrong", account?.person.email);
    switch (verdict?.kind) {
      case "right":
        if (!account) return send(response, 401, form("That is not the password."));
        return provider.interactionFinished(
          request,
          response,
          { login: { accountId: account.person.subject, remember: false, amr: ["pwd"] } },
          { mergeWithLastSubmission: false },
        );
      case "wait": {
        response.setHeader("retry-after", String(verdict.seconds));
        return send(response, 429, form(`Too many wrong passwords. Try again in ${verdict.seconds} s.`, email));
      }
      case "wrong":
      case undefined:
        return send(response, 401, form("That is not the password.", account ? email : owner.email));
    }
  }

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((cause: unknown) => {
      log("internal", undefined, cause);
      if (response.headersSent) response.destroy();
      else send(response, 500, stoppedPage("Something went wrong."));
    });
  });

  return {
    issuer,
    people,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readForm(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MOST_FORM_BYTES) throw new Error("The sign-in form is too long.");
  }
  return text;
}

function send(response: ServerResponse, status: number, { html, headers }: Page): void {
  response.writeHead(status, headers);
  response.end(response.req.method === "HEAD" ? undefined : html);
}
