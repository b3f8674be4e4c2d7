import { DurableObject } from "cloudflare:workers";
import { acquire, type BrowserPlatform, release, socketOf } from "../../browser/binding.ts";
import { Failure, toFailure } from "../../core/failure.ts";
import { log } from "../../core/log.ts";
import { Control } from "./control.ts";
import { discover } from "./discovery.ts";
import { type BridgeLimits, BRIDGE_LIMITS } from "./limits.ts";
import { pipe } from "./pipe.ts";
import { keepOpen, type Screened } from "./screen.ts";

/** The session's id: outlives this object's memory, so that no browser is left behind. */
const SESSION = "moltbot:browser-session";

/**
 * The bot's browser: one session that any number of sockets share, started by the first that needs it, replaced when it
 * dies, ended when it is not used. What is said is not translated.
 */
export abstract class BrowserBridgeObject<Env> extends DurableObject<Env> {
  protected readonly limits: BridgeLimits = BRIDGE_LIMITS;
  #control: Control | undefined;
  #starting: Promise<Control> | undefined;
  #sockets = 0;
  #lastUse = 0;

  protected abstract platform(): BrowserPlatform;

  /** What becomes of a client's message; the browser of a machine with files on it is stricter. */
  protected screen(message: string): Screened {
    return keepOpen(message);
  }

  /** The session the bot has now, for whoever wants to watch it. Starts none. */
  async currentSession(): Promise<string | undefined> {
    return await this.ctx.storage.get<string>(SESSION);
  }

  /** `/json/…`, `/devtools/browser/…` and `/devtools/page/<id>`, as a browser's own DevTools port has them. */
  override async fetch(request: Request): Promise<Response> {
    try {
      const path = new URL(request.url).pathname;
      this.#lastUse = Date.now();
      if (/^\/json(\/|$)/.test(path)) return await discover(request, path, await this.#session());
      const [, kind, id] = /^\/devtools\/(browser|page)\/([^/]+)$/.exec(path) ?? [];
      if (kind === undefined || id === undefined) throw new Failure("not_found", "The browser has no such page.");
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        throw new Failure("invalid_input", "This is the address of a WebSocket.");
      }
      return await this.#connect(kind === "page" ? id : undefined);
    } catch (error) {
      const failure = toFailure(error);
      log("warn", "bridge.browser", { outcome: failure.code, cause: failure.cause });
      return Response.json(failure.view(), { status: failure.status });
    }
  }

  /** Looks whether the browser is still needed. */
  override async alarm(): Promise<void> {
    const session = await this.currentSession();
    if (session === undefined) return;
    const silent = Date.now() - this.#lastUse;
    const limit = this.#sockets > 0 ? this.limits.silentMs : this.limits.unusedMs;
    if (silent < limit || this.#starting) {
      await this.#watch();
      return;
    }
    this.#control?.close();
    this.#control = undefined;
    await this.ctx.storage.delete(SESSION);
    await release(this.platform(), session);
    log("info", "browser.close", { outcome: "unused", sockets: this.#sockets });
  }

  async #connect(page: string | undefined): Promise<Response> {
    const upstream = await this.#socket(page);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#sockets += 1;
    pipe({
      client: server,
      browser: upstream,
      screen: (message) => this.screen(message),
      onUse: () => (this.#lastUse = Date.now()),
      onEnd: () => {
        this.#sockets -= 1;
        this.#lastUse = Date.now();
      },
    });
    return new Response(null, { status: 101, webSocket: client });
  }

  async #socket(page: string | undefined): Promise<WebSocket> {
    const control = await this.#session();
    const socket = await socketOf(this.platform(), control.session, page);
    if (socket) return socket;
    if (page !== undefined) throw new Failure("not_found", "The browser has no such page.");
    // It may have died this moment, and the control not know it yet.
    control.close();
    const again = await socketOf(this.platform(), (await this.#session()).session);
    if (again) return again;
    throw new Failure("unavailable", "The browser has gone.", { hint: "Connect again: another one is started." });
  }

  /** The running session, started when there is none; whoever asks meanwhile waits for the same. */
  #session(): Promise<Control> {
    if (this.#control?.open) return Promise.resolve(this.#control);
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #start(): Promise<Control> {
    const started = Date.now();
    const kept = await this.currentSession();
    this.#control = kept === undefined ? undefined : await this.#attached(kept);
    if (this.#control) return this.#control;
    const session = await acquire(this.platform());
    // Before anything else may fail: a browser whose id is lost stays until the platform ends it.
    await this.ctx.storage.put(SESSION, session);
    await this.#watch();
    this.#control = await this.#attached(session);
    log("info", "browser.start", { outcome: this.#control ? "ready" : "gone", ms: Date.now() - started });
    if (!this.#control) throw new Failure("upstream", "The browser was started and has gone.");
    return this.#control;
  }

  async #attached(session: string): Promise<Control | undefined> {
    const socket = await socketOf(this.platform(), session);
    return socket && new Control(session, socket);
  }

  async #watch(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + this.limits.unusedMs);
  }
}
