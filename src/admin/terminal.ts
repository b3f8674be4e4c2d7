import { requireOwnOrigin, type Visitor } from "../auth/access.ts";
import type { Grants } from "../auth/grants.ts";
import { mayUseTerminal } from "../auth/visitor.ts";
import { Failure, toFailure } from "../core/failure.ts";
import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import { type Reply, unwrap } from "../core/reply.ts";
import { terminalRequest, terminalSize } from "../sandbox/terminal.ts";
import { queryOf, take } from "./input.ts";

export interface TerminalServices {
  /** Access; throws a Failure. */
  admit: (request: Request) => Promise<Visitor>;
  idOf: (visitor: Visitor) => Promise<string>;
  publicUrl: string;
  grants: Pick<Grants, "list">;
  /** A shell line in the sandbox, which brings its container up. */
  shell: (line: string) => Promise<Reply<unknown>>;
  /** The sandbox's object by fetch, not told of the settings: `openTerminal` answers there. */
  sandbox: { fetch(request: Request): Promise<Response> };
  record: Journal;
}

/**
 * GET /admin/terminal?cols=80&rows=24, a WebSocket: a shell in the sandbox, for a person who lets a client run commands
 * there (`me` says whether that is so), from the admin page itself. It wakes the container, not the gateway. A person has
 * one terminal; a second socket shows the same, beginning with what was shown last.
 *
 * Binary frames are bytes, both ways: what is typed, and what is shown. Text frames are JSON:
 * to the sandbox   {type: "resize", cols, rows}, whole numbers from 1 to 1000;
 * to the person    {type: "ready"}, after what was shown before; {type: "exit", code} when the shell ends, then close 1000;
 *                  {type: "error", message, hint?} when there is no shell to be had, then close 1013.
 * Who is refused gets no socket: 400, 401 or 403, with the reason as JSON.
 */
export async function handleTerminal(request: Request, services: TerminalServices): Promise<Response> {
  const { admit, idOf, publicUrl, grants, shell, sandbox, record } = services;
  const at = Date.now();
  let principal: string | undefined;
  let outcome = "ok";
  try {
    const visitor = await admit(request);
    principal = await idOf(visitor);
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new Failure("invalid_input", "The terminal is a WebSocket.", { hint: "The admin page opens it." });
    }
    requireOwnOrigin(request, visitor, publicUrl);
    if (!(await mayUseTerminal(grants, visitor, at))) {
      throw new Failure("forbidden", "The terminal is for a person who lets a client run commands.", {
        hint: "Connect an MCP client and grant it “exec” first.",
      });
    }
    const size = take(terminalSize, queryOf(new URL(request.url)));
    unwrap(await shell("true"));
    const answer = await sandbox.fetch(terminalRequest(principal, size));
    if (answer.webSocket) return answer;
    await answer.body?.cancel();
    throw new Failure("unavailable", "The sandbox has no terminal to give just now.", {
      hint: "Try again in a moment.",
    });
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    if (failure.cause !== undefined) log("warn", "terminal", { outcome, cause: failure.cause });
    return refused(failure);
  } finally {
    // Strangers are in the log alone.
    if (principal !== undefined) {
      record({ kind: "admin", at, principal, action: "terminal/open", outcome, ms: Date.now() - at });
    }
    log("info", "terminal", { outcome, ms: Date.now() - at });
  }
}

/** A page cannot read why its socket was refused: whoever may have one is told in it. */
function refused(failure: Failure): Response {
  if (["invalid_input", "unauthorized", "forbidden"].includes(failure.code)) {
    return Response.json(
      { error: failure.view() },
      { status: failure.status, headers: { "cache-control": "no-store" } },
    );
  }
  const { 0: browser, 1: ours } = new WebSocketPair();
  ours.accept();
  const { message, hint } = failure;
  ours.send(JSON.stringify({ type: "error", message, ...(hint === undefined ? {} : { hint }) }));
  ours.close(1013, "No terminal");
  return new Response(null, { status: 101, webSocket: browser });
}
