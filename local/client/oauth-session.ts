import { randomBytes } from "node:crypto";
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import { z } from "zod";

/** What outlives the process. */
export const sessionState = z.object({
  redirectUrl: z.url(),
  client: z.looseObject({ client_id: z.string(), issuer: z.string().optional() }).optional(),
  tokens: z
    .looseObject({
      access_token: z.string(),
      token_type: z.string(),
      refresh_token: z.string().optional(),
      scope: z.string().optional(),
      issuer: z.string().optional(),
    })
    .optional(),
  /** When the access token ends, in milliseconds. */
  expiresAt: z.number().optional(),
});
export type SessionState = z.output<typeof sessionState>;

/**
 * One client's registration and tokens with one server, as the MCP client library asks for them.
 * `save` is called with each change; what only one sign-in needs is kept in memory.
 */
export class OAuthSession implements OAuthClientProvider {
  readonly clientMetadata: OAuthClientMetadata;
  /** Where the library last wanted to send a browser. */
  authorizationUrl: URL | undefined;
  readonly expectedState = randomBytes(24).toString("base64url");
  readonly #save: (state: SessionState) => Promise<void>;
  #state: SessionState;
  #verifier = "";
  #discovery: OAuthDiscoveryState | undefined;

  constructor(clientName: string, state: SessionState, save: (state: SessionState) => Promise<void>) {
    this.#state = state;
    this.#save = save;
    this.clientMetadata = {
      client_name: clientName,
      redirect_uris: [state.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  get redirectUrl(): string {
    return this.#state.redirectUrl;
  }

  get expiresAt(): number | undefined {
    return this.#state.expiresAt;
  }

  state(): string {
    return this.expectedState;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#state.client;
  }

  async saveClientInformation(client: StoredOAuthClientInformation): Promise<void> {
    await this.#change({ client });
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#state.tokens;
  }

  async saveTokens(tokens: StoredOAuthTokens): Promise<void> {
    const expiresAt = tokens.expires_in === undefined ? undefined : Date.now() + tokens.expires_in * 1000;
    await this.#change({ tokens, expiresAt });
  }

  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }

  async invalidateCredentials(what: "all" | "client" | "tokens" | "verifier" | "discovery"): Promise<void> {
    if (what === "all" || what === "discovery") this.#discovery = undefined;
    if (what === "all" || what === "client") await this.#change({ client: undefined });
    if (what === "all" || what === "tokens") await this.#change({ tokens: undefined, expiresAt: undefined });
  }

  async #change(change: { [Key in keyof SessionState]?: SessionState[Key] | undefined }): Promise<void> {
    const changed = { ...this.#state, ...change };
    this.#state = sessionState.parse(JSON.parse(JSON.stringify(changed)));
    await this.#save(this.#state);
  }
}
