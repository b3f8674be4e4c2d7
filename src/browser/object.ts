import type { BrowserWorker } from "@cloudflare/puppeteer";
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { type Reply, reply } from "../core/reply.ts";
import type * as Wire from "./access.ts";
import { emulate } from "./emulate.ts";
import { evaluate } from "./evaluate.ts";
import { glance } from "./glance.ts";
import { callIn, callOn } from "./in-page.ts";
import { MOST_CALL_MS, MOST_CHARACTERS, NEW_PAGE_CHARACTERS, SNAPSHOT_CHARACTERS, STEP_SETTLE_MS } from "./limits.ts";
import type { Live } from "./live.ts";
import { navigate } from "./navigate.ts";
import READ from "./page/read.js";
import { pdf } from "./pdf.ts";
import type { UrlPolicy } from "./policy.ts";
import { Recording } from "./recording.ts";
import { screenshot } from "./screenshot.ts";
import { type BrowserSecrets, hidden, hiding, tellable } from "./secrets.ts";
import { askPlatform } from "./platform.ts";
import { Session } from "./session.ts";
import { takeSteps } from "./steps.ts";
import type { Tab } from "./tab.ts";
import { download, upload } from "./transfer.ts";
import { checkWait, waitFor } from "./wait.ts";
import { framesOf } from "./watch.ts";
import { factsOf } from "./frame-facts.ts";

/** What a session is told from outside. */
export interface BrowserSetup {
  binding: BrowserWorker;
  policy: UrlPolicy;
  secrets: BrowserSecrets;
  /** The browser the bot has now, if it has one. */
  botSession: () => Promise<string | undefined>;
  /** How long nobody may use it before it is closed. Milliseconds. */
  idleMs?: number;
}

interface Options {
  tab?: string | undefined;
  /** May work while a dialog is open. */
  besideDialog?: boolean;
  /** Only looks: done again when the page has become another one meanwhile. */
  looks?: boolean;
}

/** One principal's browser session. Calls take turns; a session nobody uses is closed. */
export abstract class BrowserObject<Env> extends DurableObject<Env> implements Wire.BrowserSession {
  readonly #session = new Session(this.ctx.storage, () => this.setup());
  #turn: Promise<unknown> = Promise.resolve();
  #working = 0;
  #recording: Recording | undefined;

  protected abstract setup(): BrowserSetup;

  navigate(request: Wire.NavigateRequest) {
    return this.#on("navigate", { tab: request.tab, besideDialog: request.newTab === true }, async (given, live) => {
      const tab = request.newTab ? await live.newTab() : given;
      const status = await tab.dialogs.interrupting(() => navigate(tab, request, this.setup().policy));
      const shown = await tab.snapshot({ mode: "interactive", characters: NEW_PAGE_CHARACTERS });
      return { ...(status === undefined ? {} : { status }), ...shown };
    });
  }

  snapshot({ tab, mode = "interactive", ref, cursor, characters = SNAPSHOT_CHARACTERS }: Wire.SnapshotRequest) {
    return this.#on("snapshot", { tab, looks: true }, async (page) =>
      cursor === undefined ? await page.snapshot({ mode, ref, characters }) : page.rest(cursor, characters),
    );
  }

  act(request: Wire.ActRequest): Promise<Reply<Wire.OnPage<Wire.ActResult>>> {
    return this.#on("act", { tab: request.tab, besideDialog: true }, (tab, live) =>
      takeSteps(tab, request, { secrets: this.setup().secrets, front: () => live.show(tab) }),
    );
  }

  screenshot(request: Wire.ScreenshotRequest) {
    return this.#on("screenshot", { tab: request.tab, looks: true }, (tab) => screenshot(tab, request));
  }

  read({ tab, ref, offset = 0, characters = SNAPSHOT_CHARACTERS }: Wire.ReadRequest) {
    return this.#on("read", { tab, looks: true }, async (page): Promise<Wire.ReadResult> => {
      const found = ref === undefined ? callIn(page.page.mainFrame(), READ) : callOn(await page.find(ref), READ);
      const text = page.hide(z.string().parse(await found));
      const next = offset + Math.min(characters, MOST_CHARACTERS);
      return {
        text: text.slice(offset, next),
        total: text.length,
        ...(next < text.length ? { next_offset: next } : {}),
      };
    });
  }

  evaluate(request: Wire.EvaluateRequest) {
    return this.#on("evaluate", { tab: request.tab }, async (tab) => ({ value: await evaluate(tab, request) }));
  }

  wait(request: Wire.WaitRequest) {
    return this.#on("wait", { tab: request.tab, looks: true }, async (tab) => {
      checkWait(request);
      return { met: await waitFor(tab, request) };
    });
  }

  tabs({ do: what, tab: name }: { do: "list" | "new" | "select" | "close"; tab?: string }) {
    const tab = what === "list" || what === "new" ? undefined : name;
    return this.#on("tabs", { tab, besideDialog: true }, async (given, live) => {
      if (what === "new") await live.newTab();
      if (what === "close") await live.closeTab(given);
      await live.tab();
      return { tabs: await live.views() };
    });
  }

  dialog({ tab, accept, text }: { tab?: string; accept: boolean; text?: string }) {
    return this.#on("dialog", { tab, besideDialog: true }, async (page) => {
      const answered = await page.dialogs.answer(accept, text);
      await page.activity.settled(STEP_SETTLE_MS);
      return { answered };
    });
  }

  logs({ tab, kind, after = 0, match = "", failedOnly = false }: Wire.LogRequest) {
    return this.#on("logs", { tab, besideDialog: true }, async ({ activity }) => {
      const found = activity[kind]
        .since(after)
        .filter(({ text, failed }) => text.includes(match) && (failed || !failedOnly));
      let left = SNAPSHOT_CHARACTERS;
      const lines = found.filter(({ text }) => (left -= text.length) >= 0).map(({ n, text }) => ({ n, text }));
      return { lines, next: lines.length < found.length ? (lines.at(-1)?.n ?? after) : activity[kind].last };
    });
  }

  upload({ tab, ref, files }: { tab?: string; ref: string; files: readonly Wire.UploadFile[] }) {
    return this.#on("upload", { tab }, async (page) => {
      const count = await upload(page, ref, files);
      await page.activity.settled(STEP_SETTLE_MS);
      return { files: count };
    });
  }

  download({ tab, ...from }: { tab?: string; url?: string; ref?: string }) {
    return this.#on("download", { tab }, (page) => download(page, from, this.setup()));
  }

  pdf({ tab, ...options }: { tab?: string; landscape?: boolean; pages?: string }) {
    return this.#on("pdf", { tab }, (page) => pdf(page, options));
  }

  emulate(request: Wire.EmulateRequest) {
    return this.#on("emulate", { tab: request.tab }, async (tab) => ({ viewport: await emulate(tab, request) }));
  }

  record({ tab, do: what, fps = 4, width = 800 }: Wire.RecordRequest) {
    return this.#on("record", { tab, besideDialog: true }, async (page) => {
      const running = this.#recording;
      if (what === "start") {
        if (running)
          throw new Failure("conflict", "It is recording already.", { hint: "browser_record stop ends it." });
        this.#recording = new Recording(page, { fps, width });
        return { recording: true, frames: 0 };
      }
      if (!running)
        throw new Failure("conflict", "Nothing is being recorded.", { hint: "browser_record start begins." });
      this.#recording = undefined;
      const movie = await running.finish();
      return { recording: false, frames: running.frames, movie };
    });
  }

  /** Out of turn: it is asked when something hangs. */
  session(request: Wire.SessionRequest): Promise<Reply<Wire.SessionView>> {
    return reply("browser.session", async () => {
      if (request.do === "close") {
        await this.#end();
        return { open: false, tabs: [] };
      }
      if (request.do === "look_at_bot") {
        const { binding, botSession, secrets } = this.setup();
        const bots = await botSession();
        if (bots === undefined) return { open: false, tabs: [] };
        return hidden({ open: true, ...(await glance(binding, bots)) }, hiding(secrets));
      }
      const kept = await this.#session.kept();
      if (!kept && request.do === "status") return { open: false, tabs: [] };
      using limit = deadline(MOST_CALL_MS);
      const live = await raced(this.#session.connected(), limit.signal);
      const tab = live.active ?? (await live.tab());
      const extra = await askPlatform(tab, request);
      const view: Wire.SessionView = {
        open: true,
        started: new Date(kept?.started ?? Date.now()).toISOString(),
        idle_closes_in_s: Math.max(0, Math.round(this.#session.idleLeft(kept?.started) / 1000)),
        tabs: await live.views(),
        ...extra,
      };
      return hidden(view, hiding(this.setup().secrets));
    });
  }

  watch(): Promise<Reply<ReadableStream<Uint8Array>>> {
    return reply("browser.watch", async () => {
      using limit = deadline(MOST_CALL_MS);
      const live = await raced(this.#session.connected(), limit.signal);
      await raced(live.tab(), limit.signal);
      return framesOf(live);
    });
  }

  override async alarm(): Promise<void> {
    const left = this.#session.idleLeft();
    if (this.#working > 0 || left > 0) await this.ctx.storage.setAlarm(Date.now() + Math.max(left, 1_000));
    else await this.#end();
  }

  /** Runs `work` on a tab in its turn, within the deadline, and adds how the page is after it. */
  async #on<T extends object>(
    operation: string,
    options: Options,
    work: (tab: Tab, live: Live) => Promise<T>,
  ): Promise<Reply<Wire.OnPage<T>>> {
    const hide = hiding(this.setup().secrets);
    const run = async (): Promise<Wire.OnPage<T>> => {
      using limit = deadline(MOST_CALL_MS);
      const { live, tab } = await raced(this.#at(options.tab), limit.signal);
      const job = () => work(tab, live);
      const once = () => (options.besideDialog ? job() : tab.dialogs.interrupting(job));
      const { document } = tab;
      const again = (error: unknown) => {
        if (error instanceof Failure || !options.looks || tab.document === document) throw error;
        return once();
      };
      try {
        const result = await raced(once().catch(again), limit.signal);
        const about = tab.page.isClosed() ? await live.tab() : (live.active ?? tab);
        return hidden({ ...result, page: await raced(live.stateOf(about), limit.signal) }, hide);
      } catch (error) {
        if (limit.signal.aborted) stopScripts(tab);
        throw this.#explained(error, tab);
      } finally {
        tab.release();
        await this.#session.keep(live);
      }
    };
    this.#working += 1;
    const turn = this.#turn.then(run, run);
    this.#turn = turn.catch(() => undefined);
    return await reply(`browser.${operation}`, async () => {
      try {
        return await turn;
      } catch (error) {
        throw tellable(error, hide);
      } finally {
        this.#working -= 1;
      }
    });
  }

  /** The tab to work on. That a browser has ended is often noticed only when it is spoken to: then it is a new one. */
  async #at(name: string | undefined): Promise<{ live: Live; tab: Tab }> {
    const live = await this.#session.connected();
    try {
      await live.browser.version();
      return { live, tab: await live.tab(name) };
    } catch (error) {
      if (error instanceof Failure || live.browser.connected) throw error;
      const next = await this.#session.connected();
      return { live: next, tab: await next.tab(name) };
    }
  }

  async #end(): Promise<void> {
    this.#recording = undefined;
    await this.#session.close();
  }

  #explained(error: unknown, tab: Tab): unknown {
    // Whatever it looks like from where it was noticed.
    if (!this.#session.open) {
      return new Failure("unavailable", "The browser has ended.", {
        hint: "The next call opens a new one.",
        cause: error,
      });
    }
    if (error instanceof Failure) return error;
    if (tab.page.isClosed()) return new Failure("conflict", `The tab ${tab.id} was closed.`, { cause: error });
    return error;
  }
}

/** A page in an endless loop would answer nobody any more. */
function stopScripts(tab: Tab): void {
  factsOf(tab.page.mainFrame())
    .client.send("Runtime.terminateExecution")
    .catch(() => undefined);
}
