import { expect } from "vitest";
import type { Answer } from "./client.ts";

/** What only the people who run a Worker should see. */
const INTERNAL = [
  /\bat \w+[^\n]*\(?[\w/.-]+\.(ts|js):\d+/,
  /node_modules|workers-oauth-provider|wrangler|workerd|\bjose\b|\bzod\b|KVNamespace|Durable/i,
  /OIDC_|CLIENT_SECRET|ACCESS_[A-Z]|ALLOWED_|the worker's secret/,
  /TypeError|SyntaxError|JWS|JWKS|JOSE|ZodError|stack/,
  /\/cdn-cgi\/|127\.0\.0\.1:\d+/,
  /@example/,
];

/** A refusal says what happened and what to do, and nothing about how the Worker is made or who else uses it. */
export function expectDiscreet({ text, headers, location }: Answer): void {
  const shown = `${text}\n${location ?? ""}\n${headers.get("www-authenticate") ?? ""}`;
  for (const pattern of INTERNAL) expect(shown).not.toMatch(pattern);
}
