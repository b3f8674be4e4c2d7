import { z } from "zod";
import { Failure, FAILURES, type FailureCode } from "../../src/core/failure.ts";
import { headlessBrowser, isLoopback } from "./browser.ts";
import { driveSignIn } from "./drive-sign-in.ts";
import type { Target } from "./target.ts";

/** The pages for people, for a program that was let in. */
export interface Pages {
  /** A refusal becomes a Failure with the Worker's own words. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

const CODES = Object.keys(FAILURES);
const refusalSchema = z.object({
  error: z.object({
    code: z.string().refine((code): code is FailureCode => CODES.includes(code)),
    message: z.string(),
    hint: z.string().optional(),
  }),
});

/** The names that cloudflared and Cloudflare's own examples use for a service token. */
const ID = "CF_ACCESS_CLIENT_ID";
const SECRET = "CF_ACCESS_CLIENT_SECRET";

/** Lets the program in: by an Access service token of the environment, or on this machine as a browser would be. */
export async function openPages(target: Target, env: Record<string, string | undefined>): Promise<Pages> {
  const visit = await visitor(target, env);
  return {
    async ask(path, init) {
      const response = await visit(path, init).catch((cause: unknown) => {
        throw unreachable(target.url, cause);
      });
      if (response.ok) return response;
      throw await refusal(response);
    },
  };
}

async function visitor(
  { url, password }: Target,
  env: Record<string, string | undefined>,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const { protocol, hostname, origin } = new URL(url);
  const [id, secret] = [env[ID], env[SECRET]];
  if (id !== undefined && secret !== undefined) {
    if (protocol !== "https:" && !isLoopback(hostname)) {
      throw new Failure("invalid_input", "A service token is sent over https only.", {
        hint: "Give an https address.",
      });
    }
    return (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("cf-access-client-id", id);
      headers.set("cf-access-client-secret", secret);
      // What leads to another host must not take the token along.
      return fetch(origin + path, { ...init, headers, redirect: "manual" });
    };
  }
  if (password === undefined) {
    throw new Failure("unauthorized", `There is nothing to sign in with at ${origin}.`, {
      hint: `Put an Access service token into ${ID} and ${SECRET}, and its client id into the Worker's ACCESS_SERVICE_TOKENS.`,
    });
  }
  const browser = headlessBrowser();
  const page = `${origin}/admin/`;
  const sent = await browser.visit(page, { headers: { accept: "text/html" } }).catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  await sent.body?.cancel();
  await driveSignIn(sent.headers.get("location") ?? page, page, { password, decision: "approve" }, browser);
  return (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("origin", origin);
    return browser.visit(origin + path, { ...init, headers });
  };
}

async function refusal(response: Response): Promise<Failure> {
  const text = await response.text();
  const said = refusalSchema.safeParse(jsonOf(text));
  if (said.success) {
    const { code, message, hint } = said.data.error;
    return new Failure(code, message, hint === undefined ? {} : { hint });
  }
  if (response.status === 413) {
    return new Failure("too_large", "The upload is larger than Cloudflare lets through to a Worker.", {
      hint: "The limit is 100 MB, 200 MB on the Business plan. Take large files out of the archive's source and export again.",
    });
  }
  if (response.status >= 300 && response.status < 400) {
    return new Failure("forbidden", "Access did not let the service token in.", {
      hint: `Check ${ID} and ${SECRET}, and that the application's policy has the action Service Auth for it.`,
    });
  }
  return new Failure("upstream", `The answer was no answer of a Moltbot's: status ${response.status}.`);
}

function unreachable(url: string, cause: unknown): Failure {
  return new Failure("unavailable", `The connection to ${url} could not be made, or broke off.`, {
    hint: "Look whether it runs, and try again.",
    cause,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
