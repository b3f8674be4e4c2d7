import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { type Browser, headlessBrowser } from "../../local/client/browser.ts";
import { readForm } from "../../local/client/form.ts";

export const REDIRECT = "https://client.example/back";

const registeredSchema = z.object({ client_id: z.string(), client_secret: z.string().optional() });

const tokensSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
  scope: z.string(),
  resource: z.string(),
});
export type Tokens = z.output<typeof tokensSchema>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Where a redirect leads. */
  location: string | undefined;
}

/** An OAuth client written by hand, so that a test can do each step wrong. */
export class TestClient {
  readonly verifier = randomBytes(32).toString("base64url");
  readonly browser: Browser;
  readonly id: string;
  readonly secret: string | undefined;
  readonly #url: string;
  readonly #redirect: string;

  private constructor(url: string, browser: Browser, client: z.output<typeof registeredSchema>, redirect: string) {
    this.#url = url;
    this.browser = browser;
    this.id = client.client_id;
    this.secret = client.client_secret;
    this.#redirect = redirect;
  }

  static async register(
    url: string,
    options: { browser?: Browser; redirect?: string; metadata?: Record<string, unknown> } = {},
  ): Promise<TestClient> {
    const redirect = options.redirect ?? REDIRECT;
    const response = await register(url, { redirect_uris: [redirect], ...options.metadata });
    const client = registeredSchema.parse(JSON.parse(response.text));
    return new TestClient(url, options.browser ?? headlessBrowser(), client, redirect);
  }

  /** A client whose id is the address of its description. */
  static published(url: string, address: string): TestClient {
    return new TestClient(url, headlessBrowser(), { client_id: address }, REDIRECT);
  }

  /** The address that a browser is sent to; an undefined value leaves the parameter out. */
  authorizeUrl(change: Record<string, string | undefined> = {}): string {
    const query = new URLSearchParams();
    const parameters = {
      response_type: "code",
      client_id: this.id,
      redirect_uri: this.#redirect,
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
      state: "s1",
      scope: "chat",
      resource: `${this.#url}/mcp`,
      ...change,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
    return `${this.#url}/authorize?${query}`;
  }

  async open(change: Record<string, string | undefined> = {}): Promise<Answer> {
    return await answerOf(await this.browser.visit(this.authorizeUrl(change)));
  }

  /** The handle of a consent page, freshly shown. */
  async handle(change: Record<string, string | undefined> = {}): Promise<string> {
    const page = await this.open(change);
    const form = readForm(page.text, `${this.#url}/authorize`);
    const handle = form?.fields.find(({ name }) => name === "handle")?.value;
    if (handle === undefined) throw new Error(`No consent page: ${page.status} ${page.location ?? page.text}`);
    return handle;
  }

  /** Sends the consent form. */
  async decide(
    fields: Record<string, string | string[]>,
    { browser = this.browser, origin = new URL(this.#url).origin }: { browser?: Browser; origin?: string } = {},
  ): Promise<Answer> {
    const body = new URLSearchParams();
    for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) body.append(name, value);
    const init = { method: "POST", body, headers: { origin } };
    return await answerOf(await browser.visit(`${this.#url}/authorize`, init));
  }

  /** Consent given; the answer leads to the issuer. */
  async consent(scopes: string[] = ["chat"], more: Record<string, string> = {}): Promise<Answer> {
    const handle = await this.handle();
    return await this.decide({ handle, decision: "approve", scope: scopes, ...more });
  }

  /** From an answer that leads to the issuer to the callback's address, which is not visited. */
  async atIssuer(sent: Answer): Promise<string> {
    const response = await this.browser.visit(sent.location ?? "");
    return response.headers.get("location") ?? "";
  }

  async visit(url: string): Promise<Answer> {
    return await answerOf(await this.browser.visit(url));
  }

  /** The whole way to an authorization code. */
  async code(scopes?: string[], more?: Record<string, string>): Promise<string> {
    const back = await this.visit(await this.atIssuer(await this.consent(scopes, more)));
    return codeIn(back);
  }

  /** One request to the token endpoint; an undefined value leaves the parameter out. */
  async post(fields: Record<string, string | undefined>): Promise<Answer> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries({ client_id: this.id, client_secret: this.secret, ...fields })) {
      if (value !== undefined) body.set(name, value);
    }
    return await answerOf(await fetch(`${this.#url}/oauth/token`, { method: "POST", body }));
  }

  async exchange(code: string, change: Record<string, string | undefined> = {}): Promise<Answer> {
    return await this.post({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.#redirect,
      code_verifier: this.verifier,
      resource: `${this.#url}/mcp`,
      ...change,
    });
  }

  async refresh(refreshToken: string, change: Record<string, string | undefined> = {}): Promise<Answer> {
    return await this.post({ grant_type: "refresh_token", refresh_token: refreshToken, ...change });
  }

  async tokens(scopes?: string[]): Promise<Tokens> {
    return tokensIn(await this.exchange(await this.code(scopes)));
  }
}

export async function register(url: string, metadata: Record<string, unknown>): Promise<Answer> {
  const body = JSON.stringify({ client_name: "Test client", token_endpoint_auth_method: "none", ...metadata });
  const headers = { "content-type": "application/json" };
  return await answerOf(await fetch(`${url}/oauth/register`, { method: "POST", headers, body }));
}

export function tokensIn({ status, text }: Answer): Tokens {
  if (status !== 200) throw new Error(`No tokens: ${status} ${text}`);
  return tokensSchema.parse(JSON.parse(text));
}

export function codeIn({ status, location, text }: Answer): string {
  const code = location === undefined ? null : new URL(location).searchParams.get("code");
  if (code === null) throw new Error(`No code: ${status} ${location ?? text}`);
  return code;
}

/** One MCP request; by default the cheapest that needs a token. */
export async function mcp(
  url: string,
  headers: Record<string, string>,
  message: Record<string, unknown> = { method: "tools/list" },
  path = "/mcp",
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }),
  });
  return await answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const location = response.headers.get("location") ?? undefined;
  return { status: response.status, headers: response.headers, text: await response.text(), location };
}
