/** The package ships no types. This is the part of it that local/login uses. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export interface Context {
    oidc: {
      client?: { clientId: string };
      session?: { accountId?: string };
      result?: { login?: object };
      params?: { scope?: string };
    };
    type: string;
    status: number;
    body: unknown;
    set(headers: Record<string, string>): void;
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  export interface InteractionDetails {
    uid: string;
    prompt: { name: string };
    params: Record<string, unknown>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    Grant: new (fields: { accountId: string; clientId: string }) => Grant;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<InteractionDetails>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: { login: { accountId: string; remember: boolean; amr: string[] } },
      options: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
    on(event: string, listener: (context: Context, error: Error) => void): this;
  }

  export namespace interactionPolicy {
    interface Check {
      reason: string;
    }
    const Check: new (
      reason: string,
      description: string,
      error: string,
      check: (context: Context) => boolean,
    ) => Check;
    function base(): {
      get(name: string): { checks: { add(check: Check): void } };
      remove(name: string): void;
    };
  }

  export namespace errors {
    class SessionNotFound extends Error {}
  }
}
