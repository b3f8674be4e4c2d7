import { requireOwnOrigin, type Visitor } from "../auth/access.ts";
import { readAway } from "../core/body.ts";
import { argumentsDigest } from "../core/digest.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { Admin } from "./admin.ts";
import { bodyOf, queryOf } from "./input.ts";
import type { Asked, Route } from "./route.ts";
import { API_PATH, ROUTES } from "./routes.ts";

const BY_PATH = new Map(ROUTES.map((route) => [API_PATH + route.path, route]));
const WITH_MORE_BELOW = ROUTES.filter(({ below }) => below);

/** The people's routes. Every one is behind the guard, and so is the answer that there is no such route. */
export async function handleAdmin(request: Request, admin: Admin): Promise<Response> {
  const started = Date.now();
  const { pathname } = new URL(request.url);
  let outcome = "ok";
  try {
    const visitor = await admin.admit(request);
    const route = routeOf(pathname);
    if (!route) throw new Failure("not_found", "There is no such route.");
    const asked = { admin, visitor, request };
    switch (request.method) {
      case route.method:
        return sent(await (route.method === "GET" ? looked(route, asked) : changed(route, asked)));
      case route.method === "GET" ? "HEAD" : undefined:
        return await headOf(sent(await looked(route, asked)));
      default:
        outcome = "wrong_method";
        return wrongMethod(route);
    }
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    if (failure.cause !== undefined) log("warn", "admin", { outcome, cause: failure.cause });
    return refusal(failure);
  } finally {
    const route = `${request.method} ${pathname}`.slice(0, 100);
    log("info", "admin", { route, outcome, ms: Date.now() - started });
  }
}

function routeOf(pathname: string): Route | undefined {
  return BY_PATH.get(pathname) ?? WITH_MORE_BELOW.find(({ path }) => pathname.startsWith(API_PATH + path));
}

async function looked(route: Route, asked: Asked): Promise<unknown> {
  return await route.answer(queryOf(new URL(asked.request.url)), asked);
}

/** A change is written down with its end, also one that was refused. */
async function changed(route: Route, asked: Asked): Promise<unknown> {
  const { admin, visitor, request } = asked;
  const at = Date.now();
  // First of all: nobody may change anything who cannot be named afterwards.
  const principal = await admin.idOf(visitor);
  let given: unknown;
  let outcome = "ok";
  try {
    requireOwnOrigin(request, visitor, admin.publicUrl);
    given = route.streamed ? queryOf(new URL(request.url)) : await bodyOf(request);
    return await route.answer(given, asked);
  } catch (error) {
    outcome = toFailure(error).code;
    throw error;
  } finally {
    // An answer before the end of what is being sent would be lost with the connection.
    if (request.body?.locked === false) await readAway(request.body);
    const digest = await argumentsDigest(given);
    const { path: action } = route;
    admin.record({ kind: "admin", at, principal, ...clientOf(visitor), action, digest, outcome, ms: Date.now() - at });
  }
}

function clientOf(visitor: Visitor): { client?: string } {
  return visitor.kind === "service" ? { client: visitor.name } : {};
}

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  // The cookie comes along when another site shows a picture or a film from here.
  "cross-origin-resource-policy": "same-origin",
};

function sent(answer: unknown): Response {
  const response = answer instanceof Response ? answer : Response.json(answer);
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
  return response;
}

async function headOf(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}

function refusal(failure: Failure, headers: Record<string, string> = {}): Response {
  return Response.json({ error: failure.view() }, { status: failure.status, headers: { ...HEADERS, ...headers } });
}

function wrongMethod({ method }: Route): Response {
  const allow = method === "GET" ? "GET, HEAD" : method;
  const failure = new Failure("wrong_method", "This route is not asked in this way.", { hint: `It takes ${allow}.` });
  return refusal(failure, { allow });
}
