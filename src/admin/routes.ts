import { z } from "zod";
import { requireOwnOrigin, type Visitor } from "../auth/access.ts";
import type { Grants } from "../auth/grants.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { JournalAccess } from "../journal/access.ts";
import {
  exportGeneration,
  type GenerationsAdmin,
  importGeneration,
  listGenerations,
  restoreGeneration,
  restoreSchema,
} from "./generations.ts";
import { readJournal } from "./journal.ts";

/** Everything for people is under it, behind Access. */
export const ADMIN_PATH = "/admin/";

export interface Admin {
  /** The guard: who Access lets through; throws a Failure for everybody else. */
  admit(request: Request): Promise<Visitor>;
  publicUrl: string;
  grants: Grants;
  journal: Pick<JournalAccess, "read">;
  generations: GenerationsAdmin;
}

const MOST_BODY_BYTES = 4_096;

const revokeSchema = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_-]{16}$/) });

type Route = (request: Request, admin: Admin, visitor: Visitor) => Promise<unknown>;

/** Method and path → what answers. A POST changes something, so it has to come from the Worker's own pages. */
const ROUTES: Record<string, Route> = {
  "GET /admin/api/me": (_request, _admin, visitor) => Promise.resolve(visitor),
  "GET /admin/api/grants": async (_request, { grants }, visitor) => ({ grants: await grants.list(emailOf(visitor)) }),
  "POST /admin/api/grants/revoke": revoke,
  "GET /admin/api/journal": (request, { journal }) => readJournal(new URL(request.url), journal),
  "GET /admin/api/generations": (_request, { generations }) => listGenerations(generations),
  "POST /admin/api/generations/restore": async (request, { generations }) =>
    restoreGeneration(await bodyOf(request, restoreSchema), generations),
  "GET /admin/api/generations/export": (request, { generations }) => exportGeneration(request, generations),
  "POST /admin/api/generations/import": (request, { generations }) => importGeneration(request, generations),
};

/** The people's routes as JSON. Every one is behind the guard, and so is the answer that there is no such route. */
export async function handleAdmin(request: Request, admin: Admin): Promise<Response> {
  const started = Date.now();
  const { pathname } = new URL(request.url);
  const operation = `${request.method} ${pathname}`;
  let outcome = "ok";
  try {
    const visitor = await admin.admit(request);
    const route = ROUTES[operation];
    if (!route) throw new Failure("not_found", "There is no such route.");
    if (request.method === "POST") requireOwnOrigin(request, visitor, admin.publicUrl);
    const said = await route(request, admin, visitor);
    return said instanceof Response ? alone(said) : answer(said, 200);
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    if (failure.cause !== undefined) log("warn", "admin", { outcome, cause: failure.cause });
    return answer({ error: failure.view() }, failure.status);
  } finally {
    log("info", "admin", { route: operation.slice(0, 100), outcome, ms: Date.now() - started });
  }
}

async function revoke(request: Request, { grants }: Admin, visitor: Visitor): Promise<{ revoked: string }> {
  const { id } = await bodyOf(request, revokeSchema);
  if (await grants.revoke(emailOf(visitor), id)) return { revoked: id };
  throw new Failure("not_found", "You gave no client a grant with that id.");
}

function emailOf(visitor: Visitor): string {
  if (visitor.kind === "person") return visitor.email;
  throw new Failure("forbidden", "A service token has no grants of its own.");
}

async function bodyOf<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  // Nothing but a page's own script can send this type to another site without being asked first.
  if (request.headers.get("content-type")?.split(";")[0]?.trim() !== "application/json") {
    throw new Failure("invalid_input", "The body has to be JSON.");
  }
  const text = await request.text();
  if (text.length > MOST_BODY_BYTES) throw new Failure("too_large", "The body is too long.");
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) {
      throw new Failure("invalid_input", "The body is not what this route takes.", { cause });
    }
    throw cause;
  }
}

function answer(body: unknown, status: number): Response {
  return alone(Response.json(body, { status }));
}

/** For this person alone, and nothing but what it says it is. */
function alone(response: Response): Response {
  response.headers.set("cache-control", "no-store");
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("referrer-policy", "same-origin");
  return response;
}
