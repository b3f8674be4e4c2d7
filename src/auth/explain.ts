import { AuthorizationError, CimdFetchError } from "@cloudflare/workers-oauth-provider";
import { toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { errorPage } from "./page.ts";

/** What a person sees of an error in the sign-in, and its name for the journal. What caused it goes to the log alone. */
export function explain(error: unknown): { response: Response; outcome: string } {
  if (error instanceof AuthorizationError) {
    const outcome = error.code;
    if (error.redirectTo) {
      const headers = { location: error.redirectTo, "cache-control": "no-store" };
      return { response: new Response(null, { status: 302, headers }), outcome };
    }
    log("warn", "login", { outcome, cause: error.description });
    const response = errorPage(
      400,
      "This sign-in link does not work.",
      "It may have expired or been used. Start again from your MCP client.",
    );
    return { response, outcome };
  }
  if (error instanceof CimdFetchError) {
    log("warn", "login", { outcome: "client_unverified", cause: error });
    const response = errorPage(
      400,
      "This app could not be verified.",
      "Its published description could not be read. Try again, or tell its maker.",
    );
    return { response, outcome: "client_unverified" };
  }
  const failure = toFailure(error);
  log(failure.status >= 500 ? "error" : "warn", "login", { outcome: failure.code, cause: failure.cause });
  return {
    response: errorPage(failure.status, failure.message, failure.hint ?? "Start again from your MCP client."),
    outcome: failure.code,
  };
}
