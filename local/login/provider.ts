import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { errors, Provider } from "oidc-provider";
import { readOwnerState } from "./owner-state.ts";
import { type Page, signInPage, stoppedPage } from "./page.ts";
import { passwordCheck } from "./password-check.ts";
import { providerOptions } from "./provider-options.ts";

export interface LoginProvider {
  issuer: string;
  /** Where the owner's password is. */
  passwordFile: string;
  close(): Promise<void>;
}

/** A sign-in form is one e-mail address and one password. */
const MOST_FORM_BYTES = 4_096;

/**
 * An OpenID provider on loopback for one owner and one client, in the place of Cloudflare Access.
 * The owner's password is made at the first start and kept in `stateDir` with keys and account.
 * `path` is put behind the issuer's origin, as Access does.
 */
export async function startLoginProvider(options: {
  port?: number;
  path?: string;
  stateDir: string;
  redirectUris: string[];
  clientId: string;
  clientSecret: string;
  owner: { email: string; name: string };
  /** Takes one line per sign-in try and per failure. */
  log(line: string): void;
  now?: () => number;
}): Promise<LoginProvider> {
  const { owner, path = "" } = options;
  const log = (outcome: string, cause?: unknown) => {
    const why = cause instanceof Error ? { cause: cause.stack } : {};
    options.log(JSON.stringify({ operation: "local login", who: owner.email, outcome, ...why }));
  };
  const state = await readOwnerState(options.stateDir, owner.email);
  const check = await passwordCheck(state.password, options.now ?? Date.now);

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
      ...options,
      account: { ...owner, subject: state.subject },
      jwks: state.jwks,
      interactionPath: (uid) => `${path}/sign-in/${uid}`,
    }),
  );
  provider.on("server_error", (_context, cause) => log("internal", cause));
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
    await answerOthers(Object.assign(request, { originalUrl: url, url: inside }), response);
  }

  async function signIn(request: IncomingMessage, response: ServerResponse, uid: string): Promise<void> {
    // Looked up by a cookie that only the browser in which the sign-in began has.
    const interaction = await provider.interactionDetails(request, response).catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    });
    if (interaction?.uid !== uid) return send(response, 400, stoppedPage("This sign-in has expired."));

    const form = (problem?: string) =>
      signInPage({
        action: `${path}/sign-in/${uid}`,
        email: owner.email,
        passwordFile: state.passwordFile,
        ...(problem === undefined ? {} : { problem }),
      });
    if (request.method === "GET" || request.method === "HEAD") return send(response, 200, form());
    if (request.method !== "POST") return send(response, 405, stoppedPage("Only GET and POST."));
    const from = request.headers.origin;
    if (from !== undefined && from !== origin)
      return send(response, 403, stoppedPage("This form was sent from another site."));

    const fields = new URLSearchParams(await readForm(request));
    const verdict = await check(fields.get("password") ?? "");
    log(verdict.kind);
    switch (verdict.kind) {
      case "right":
        return provider.interactionFinished(
          request,
          response,
          { login: { accountId: state.subject, remember: false, amr: ["pwd"] } },
          { mergeWithLastSubmission: false },
        );
      case "wrong":
        return send(response, 401, form("That is not the password."));
      case "wait": {
        response.setHeader("retry-after", String(verdict.seconds));
        return send(response, 429, form(`Too many wrong passwords. Try again in ${verdict.seconds} s.`));
      }
    }
  }

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((cause: unknown) => {
      log("internal", cause);
      if (response.headersSent) response.destroy();
      else send(response, 500, stoppedPage("Something went wrong."));
    });
  });

  return {
    issuer,
    passwordFile: state.passwordFile,
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
