import type { Visitor } from "../auth/access.ts";
import { escapeHtml, page } from "../auth/page.ts";
import { Failure, toFailure } from "../core/failure.ts";
import type { Journal } from "../core/journal.ts";
import { log } from "../core/log.ts";
import { unwrap } from "../core/reply.ts";
import type { BotLifecycle, GatewayStatus } from "../sandbox/lifecycle.ts";
import { isByHand, isNavigation, requireOwnPages } from "./guard.ts";
import { PASS_HOST } from "./pass.ts";
import { OWN_PATH, STATUS_PATH, type Waiting, WAITING_FILES, waitingPage, WAKE_PATH } from "./waiting.ts";

/** How much of the log a failed start shows. */
const LOG_LINES = 40;

export interface ControlUi {
  /** Its origin. */
  controlUrl: string;
  /** Access; throws a Failure. */
  admit(request: Request): Promise<Visitor>;
  idOf(visitor: Visitor): Promise<string>;
  /** The bot, asked in a way that does not put off its sleep. */
  looking: Pick<BotLifecycle, "gatewayStatus" | "gatewayLog">;
  bot: Pick<BotLifecycle, "gatewayStart" | "gatewayRestart">;
  /** The sandbox's object by fetch, not told of the settings: `passToGateway` answers there. */
  sandbox: { fetch(request: Request): Promise<Response> };
  /** Writes down who woke the bot. */
  record: Journal;
  waitUntil(work: Promise<unknown>): void;
}

/**
 * The gateway's Control UI, on an origin of its own with nothing else on it (docs/decisions/0010). A person gets the
 * gateway's page when it is ready, and before that one that shows how far it is; only a person's own act starts it: a
 * page that is opened by hand, or the page's button.
 */
export async function handleControlUi(request: Request, ui: ControlUi): Promise<Response> {
  const started = Date.now();
  const { pathname } = new URL(request.url);
  let outcome = "ok";
  try {
    const visitor = await ui.admit(request);
    requireOwnPages(request, visitor, ui.controlUrl);
    if (pathname.startsWith(OWN_PATH)) return await ownRoute(request, pathname, visitor, ui);
    if (isNavigation(request)) {
      const waiting = await statusOf(ui);
      if (waiting.phase !== "ready") {
        const begun = waiting.phase === "asleep" && isByHand(request);
        return waitingPage(begun ? await wake(waiting, visitor, ui) : waiting);
      }
    }
    if (isAdminRpc(pathname)) throw new Failure("not_found", "There is nothing here.");
    const inside = new URL(request.url);
    inside.protocol = "http:";
    inside.host = PASS_HOST;
    return await ui.sandbox.fetch(new Request(inside, request));
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    if (failure.cause !== undefined) log("warn", "control", { outcome, cause: failure.cause });
    return refusal(request, failure);
  } finally {
    const route = `${request.method} ${pathname}`.slice(0, 100);
    log("info", "control", { route, outcome, ms: Date.now() - started });
  }
}

async function ownRoute(request: Request, pathname: string, visitor: Visitor, ui: ControlUi): Promise<Response> {
  const file = WAITING_FILES.get(pathname);
  if (file && request.method === "GET") return file();
  if (pathname === STATUS_PATH && request.method === "GET") return json(await statusOf(ui));
  if (pathname === WAKE_PATH && request.method === "POST") return json(await wake(await statusOf(ui), visitor, ui));
  throw new Failure("not_found", "There is nothing here.");
}

async function statusOf(ui: ControlUi): Promise<Waiting> {
  const status = unwrap(await ui.looking.gatewayStatus());
  return status.phase === "failed" ? await withLog(status, ui) : status;
}

async function withLog(status: GatewayStatus, { looking }: ControlUi): Promise<Waiting> {
  const kept = await looking.gatewayLog(LOG_LINES);
  return kept.ok ? { ...status, log: kept.value.lines } : status;
}

/** Starts it where that helps, and says how it is now. A start that is refused is told as one that failed. */
async function wake(waiting: Waiting, visitor: Visitor, ui: ControlUi): Promise<Waiting> {
  const { phase } = waiting;
  if (phase !== "asleep" && phase !== "failed" && phase !== "unresponsive") return waiting;
  const at = Date.now();
  let outcome = "ok";
  try {
    if (phase === "asleep") return unwrap(await ui.bot.gatewayStart());
    // It takes up to a minute; how it goes on and ends is in the status.
    const restarted = ui.bot.gatewayRestart().then(unwrap);
    ui.waitUntil(restarted.catch((cause: unknown) => log("warn", "control.restart", { cause })));
    // Calls of one object arrive in order: this one finds the restart begun.
    return await statusOf(ui);
  } catch (error) {
    const failure = toFailure(error);
    outcome = failure.code;
    if (failure.code === "internal") throw failure;
    return { ...waiting, phase: "failed", reason: [failure.message, failure.hint].filter(Boolean).join(" ") };
  } finally {
    const principal = await ui.idOf(visitor);
    ui.record({ kind: "admin", at, principal, action: "control/wake", outcome, ms: Date.now() - at });
  }
}

/** The Worker's own way to command the gateway: no page has any business there, and the token would open it. */
function isAdminRpc(pathname: string): boolean {
  let plain = pathname;
  try {
    plain = decodeURIComponent(pathname);
  } catch {
    // Not an address that the gateway could read otherwise.
  }
  return /^\/+api\/+v1\/+admin(\/|$)/i.test(plain.replaceAll("\\", "/"));
}

function json(waiting: Waiting): Response {
  return Response.json(waiting, { headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } });
}

/** A page for who went to one, and JSON for a page's own request. */
function refusal(request: Request, failure: Failure): Response {
  const { status, message, hint } = failure;
  if (!isNavigation(request)) {
    return Response.json({ error: failure.view() }, { status, headers: { "cache-control": "no-store" } });
  }
  const told = `<h1>${escapeHtml(message)}</h1>${hint === undefined ? "" : `<p>${escapeHtml(hint)}</p>`}`;
  return page("Moltbot", told, { status });
}
