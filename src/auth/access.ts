import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { cookieOf } from "./familiar.ts";
import { CLOCK_TOLERANCE_S, isTokenFault } from "./jwt.ts";
import { isAllowed } from "./principal.ts";

/** Who comes through Access: a person, or a program with a service token that the settings name. */
export type Visitor = { kind: "person"; email: string } | { kind: "service"; name: string };

const HEADER = "cf-access-jwt-assertion";
const COOKIE = "CF_Authorization";

/** What Access signs with. */
const ALGORITHMS = ["RS256"];

const claimsSchema = z.object({
  email: z.email().optional(),
  email_verified: z.boolean().optional(),
  /** The client id of a service token. */
  common_name: z.string().optional(),
  /** A token of the team's own login is "org"; it is no ticket for an application. */
  type: z.literal("app").optional(),
});

/** Per isolate and team; jose refetches the keys when an unknown one appears. */
const keys = new Map<string, JWTVerifyGetKey>();

/**
 * The guard of everything that people reach with a browser. Access signs each request it lets through; this checks
 * signature, algorithm, issuer, audience and times, and that the person is on the allow-list. Where Access is not
 * set up nobody gets in.
 */
export async function admitVisitor(request: Request, config: Pick<Config, "access" | "login">): Promise<Visitor> {
  const { teamDomain, audiences, serviceTokens } = config.access;
  if (teamDomain === undefined || audiences.length === 0) {
    const missing = [
      ...(teamDomain === undefined ? ["ACCESS_TEAM_DOMAIN"] : []),
      ...(audiences.length === 0 ? ["ACCESS_AUD"] : []),
    ];
    log("error", "access", { outcome: "misconfigured", missing });
    throw new Failure("forbidden", "The pages for people are shut: Access is not set up.", {
      hint: "The Worker's log says what is missing.",
    });
  }
  // The header is set by Access itself, so it counts where both are there.
  const token = request.headers.get(HEADER) ?? cookieOf(request, COOKIE);
  if (token === undefined) throw new Failure("unauthorized", "Sign in through Access first.");
  const claims = await verify(token, teamDomain, audiences);
  if (claims.email === undefined) {
    const name = claims.common_name;
    if (name !== undefined && serviceTokens.includes(name)) return { kind: "service", name };
    throw new Failure("forbidden", "This service token may not use this Moltbot.", {
      hint: "Ask its owner to put the token's client id on the list.",
    });
  }
  if (claims.email_verified === false || !isAllowed(claims.email, config.login)) {
    throw new Failure("forbidden", "This account may not use this Moltbot.", {
      hint: "Ask its owner to put your e-mail address on the list.",
    });
  }
  return { kind: "person", email: claims.email };
}

/**
 * Refuses what another site made a browser send: the cookie comes along with it. A request that changes something
 * has to say that it comes from this Worker's own pages; programs with a service token send no Origin.
 */
export function requireOwnOrigin(request: Request, visitor: Visitor, publicUrl: string): void {
  const origin = request.headers.get("origin");
  if (origin === new URL(publicUrl).origin) return;
  if (origin === null && visitor.kind === "service") return;
  throw new Failure("forbidden", "This request does not come from the Moltbot's own pages.");
}

async function verify(token: string, teamDomain: string, audiences: readonly string[]) {
  try {
    const { payload } = await jwtVerify(token, keysOf(teamDomain), {
      issuer: teamDomain,
      audience: [...audiences],
      algorithms: ALGORITHMS,
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    return claimsSchema.parse(payload);
  } catch (cause) {
    if (isTokenFault(cause)) {
      throw new Failure("unauthorized", "This sign-in is not valid, or it has ended.", {
        hint: "Load the page again to sign in.",
        cause,
      });
    }
    throw new Failure("upstream", "Access cannot be reached to check the sign-in.", {
      hint: "Try again in a minute; if it goes on, tell its owner.",
      cause,
    });
  }
}

function keysOf(teamDomain: string): JWTVerifyGetKey {
  const known = keys.get(teamDomain);
  if (known) return known;
  const fetched = createRemoteJWKSet(new URL(`${teamDomain}/cdn-cgi/access/certs`));
  keys.set(teamDomain, fetched);
  return fetched;
}
