import type { HTTPRequest, Page } from "@cloudflare/puppeteer";
import { pause } from "../core/deadline.ts";
import type { LogLine } from "./access.ts";
import { factsOf } from "./frame-facts.ts";
import type { Hide } from "./secrets.ts";

const MOST_LINES = 300;
const MOST_LINE = 500;
const MOST_NEW_ERRORS = 5;

/** What a page is settled after: this long without a request that a person would wait for. */
const QUIET_MS = 100;
/** The moment a click needs until what it starts has started. */
const START_MS = 40;

/** A page that has said it goes elsewhere asks for it within this; a busy browser takes its time. */
const LEAVING_MS = 1_000;

/** Their answers change what is seen; pictures and fonts only how it looks. */
const AWAITED = new Set(["document", "script", "stylesheet", "xhr", "fetch"]);

/** A log that forgets its oldest lines; the numbers go on. */
class Ring {
  readonly #lines: (LogLine & { failed: boolean })[] = [];
  readonly #hide: Hide;
  #next = 1;

  constructor(hide: Hide) {
    this.#hide = hide;
  }

  add(text: string, failed: boolean): void {
    this.#lines.push({ n: this.#next++, text: this.#hide(text).slice(0, MOST_LINE), failed });
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  }

  since(after: number): (LogLine & { failed: boolean })[] {
    return this.#lines.filter(({ n }) => n > after);
  }

  get last(): number {
    return this.#next - 1;
  }
}

/** What a tab says and asks for: its console, its requests, and whether it is busy. */
export class Activity {
  readonly console: Ring;
  readonly network: Ring;
  readonly #pending = new Set<HTTPRequest>();
  readonly #started = new WeakMap<HTTPRequest, number>();
  /** When a frame last said that it goes elsewhere and has not asked for it yet. */
  #leaving = 0;
  #told = 0;
  #lastChange = 0;

  constructor(page: Page, hide: Hide) {
    this.console = new Ring(hide);
    this.network = new Ring(hide);
    page.on("console", (message) => {
      const type = message.type();
      const at = message.location();
      const where = at.url ? ` (${at.url}:${(at.lineNumber ?? 0) + 1})` : "";
      this.console.add(`${type}: ${message.text()}${where}`, type === "error" || type === "assert");
    });
    page.on("pageerror", (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.console.add(`exception: ${text.split("\n").slice(0, 3).join(" ")}`, true);
    });
    page.on("request", (request) => {
      this.#started.set(request, Date.now());
      if (request.isNavigationRequest()) this.#leaving = 0;
      if (AWAITED.has(request.resourceType())) this.#pending.add(request);
      this.#lastChange = Date.now();
    });
    page.on("requestfinished", (request) => {
      this.#ended(request, String(request.response()?.status() ?? ""), (request.response()?.status() ?? 0) >= 400);
    });
    page.on("requestfailed", (request) => this.#ended(request, request.failure()?.errorText ?? "failed", true));
    page.on("framenavigated", (frame) => {
      // Requests of a document that is gone are not always reported as ended.
      if (frame === page.mainFrame()) this.#pending.clear();
      this.#leaving = 0;
    });
    const { client } = factsOf(page.mainFrame());
    client.on("Page.frameRequestedNavigation", ({ disposition }) => {
      if (disposition === "currentTab") this.#leaving = Date.now();
    });
    client.on("Page.navigatedWithinDocument", () => (this.#leaving = 0));
  }

  #ended(request: HTTPRequest, outcome: string, failed: boolean): void {
    this.#pending.delete(request);
    this.#lastChange = Date.now();
    const ms = Date.now() - (this.#started.get(request) ?? Date.now());
    this.network.add(`${request.method()} ${request.url()} ${outcome} ${request.resourceType()} ${ms} ms`, failed);
  }

  /** Errors that nobody has been told of yet. */
  newErrors(): string[] {
    const errors = this.console.since(this.#told).filter(({ failed }) => failed);
    this.#told = this.console.last;
    const left = errors.length - MOST_NEW_ERRORS;
    const shown = errors.slice(-MOST_NEW_ERRORS).map(({ text }) => text.slice(0, 300));
    return left > 0 ? [`${left} more before`, ...shown] : shown;
  }

  /** How long nothing has been asked for; 0 while an answer is awaited. */
  get quietMs(): number {
    return this.#pending.size > 0 ? 0 : Date.now() - this.#lastChange;
  }

  /** Waits until what an action has started is done, at most `ms`. Never fails: a page may be busy for ever. */
  async settled(ms: number): Promise<void> {
    const until = Date.now() + ms;
    await pause(START_MS);
    while (Date.now() < until) {
      const quiet = Date.now() - this.#lastChange;
      const busy = this.#pending.size > 0 || Date.now() - this.#leaving < LEAVING_MS;
      if (!busy && quiet >= QUIET_MS) return;
      await pause(busy ? QUIET_MS / 2 : QUIET_MS - quiet);
    }
  }
}
