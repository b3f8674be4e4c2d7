import { connect, type Browser, type BrowserWorker, type Page, type Target, TargetType } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { PageState, TabView } from "./access.ts";
import { VIEWPORT } from "./limits.ts";
import { refusal, type UrlPolicy } from "./policy.ts";
import type { Hide } from "./secrets.ts";
import { Tab } from "./tab.ts";
import { factsOf } from "./frame-facts.ts";

/** Names of tabs by their targets' ids; kept with the session, so that a name outlives a connection. */
export type TabNames = Record<string, string>;

/** A connection to a browser, and its tabs. */
export class Live {
  readonly browser: Browser;
  readonly names: TabNames;
  readonly #policy: UrlPolicy;
  readonly #hide: Hide;
  readonly #tabs = new Map<Page, Tab>();
  /** The tab that calls are for when they name none. */
  #active: Tab | undefined;
  /** Chrome draws only the one in front. */
  #front: Tab | undefined;
  readonly #listeners = new Set<() => void>();

  private constructor(browser: Browser, names: TabNames, policy: UrlPolicy, hide: Hide) {
    this.browser = browser;
    this.names = names;
    this.#policy = policy;
    this.#hide = hide;
  }

  static async open(options: {
    binding: BrowserWorker;
    sessionId: string;
    names: TabNames;
    active: string | undefined;
    policy: UrlPolicy;
    hide: Hide;
  }): Promise<Live> {
    const browser = await connect(options.binding, options.sessionId);
    const live = new Live(browser, options.names, options.policy, options.hide);
    try {
      await live.#watchBrowser();
      for (const page of await browser.pages()) await live.#adopt(page);
      if (live.#tabs.size === 0) await live.newTab();
      live.#active = live.list().find(({ id }) => id === options.active) ?? live.list()[0];
      return live;
    } catch (error) {
      await browser.disconnect().catch(() => undefined);
      throw error;
    }
  }

  list(): Tab[] {
    return [...this.#tabs.values()];
  }

  get active(): Tab | undefined {
    return this.#active;
  }

  /** Calls `listener` when another tab becomes the active one, and at the browser's end; the answer ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The tab of that name, or the active one, in front and drawn. From now on it is the active one. */
  async tab(name?: string): Promise<Tab> {
    const tab =
      name === undefined
        ? (this.#active ?? this.list()[0] ?? (await this.newTab()))
        : this.list().find(({ id }) => id === name);
    if (!tab) {
      throw new Failure("not_found", `There is no tab ${name}.`, {
        hint: `Open are: ${this.list()
          .map(({ id }) => id)
          .join(", ")}.`,
      });
    }
    await this.show(tab);
    this.#activate(tab);
    return tab;
  }

  /** Puts the tab in front if it is not. */
  async show(tab: Tab): Promise<void> {
    if (this.#front === tab || tab.dialogs.open) return;
    await tab.page.bringToFront();
    this.#front = tab;
  }

  async newTab(): Promise<Tab> {
    const page = await this.browser.newPage();
    const tab = await this.#adopt(page);
    this.#front = tab;
    this.#activate(tab);
    return tab;
  }

  /** Closes the tab; there is always another one to go on with. */
  async closeTab(tab: Tab): Promise<void> {
    if (this.#tabs.size === 1) await this.newTab();
    // A page with a question before it goes would keep the caller waiting.
    await tab.page.close({ runBeforeUnload: false });
    this.#forget(tab.page);
  }

  /** The tabs' addresses and titles; works while a dialog is open. */
  async views(): Promise<TabView[]> {
    return await Promise.all(
      this.list().map(async ({ id, page }) => {
        const { targetInfo } = await factsOf(page.mainFrame()).client.send("Target.getTargetInfo");
        return { tab: id, url: targetInfo.url, title: targetInfo.title, active: id === this.#active?.id };
      }),
    );
  }

  /** How the tab's page is now. A page that may not be shown is left at once and not spoken of. */
  async stateOf(tab: Tab): Promise<PageState> {
    const state = await tab.state();
    const reason = refusal(state.url, this.#policy);
    // Chrome's own page for what did not load.
    if (reason === undefined || state.url.startsWith("chrome-error:")) return state;
    await tab.page.goto("about:blank");
    throw new Failure("forbidden", `The page led to a place that is not opened: ${reason}`);
  }

  async #watchBrowser(): Promise<void> {
    const session = await this.browser.target().createCDPSession();
    // A click on a download would otherwise write files where the browser is.
    await session.send("Browser.setDownloadBehavior", { behavior: "deny", eventsEnabled: true });
    session.on("Browser.downloadWillBegin", ({ frameId, url }) => {
      const tab = this.list().find(({ page }) => page.frames().some((frame) => factsOf(frame).id === frameId));
      (tab ?? this.#active)?.note(
        `A download was offered and not taken: browser_download ${this.#hide(url).slice(0, 500)}`,
      );
    });
    this.browser.on("disconnected", () => this.#tell());
    this.browser.on("targetcreated", (target) => {
      if (target.type() !== TargetType.PAGE) return;
      // One that is gone before it could be looked at is of no interest.
      this.#welcome(target).catch(() => undefined);
    });
  }

  /** A tab that the page has opened, or a person. */
  async #welcome(target: Target): Promise<void> {
    const page = await target.page();
    if (!page || this.#tabs.has(page)) return;
    const tab = await this.#adopt(page);
    this.#front = tab;
    if (target.opener()) this.#active?.note(`A new tab was opened: ${tab.id}`);
  }

  async #adopt(page: Page): Promise<Tab> {
    const known = this.#tabs.get(page);
    if (known) return known;
    const id = this.#nameOf(factsOf(page.mainFrame()).id);
    const tab = new Tab(id, page, this.#hide);
    this.#tabs.set(page, tab);
    page.once("close", () => this.#forget(page));
    await this.#guard(tab);
    // A page with an open dialog answers later.
    void page.setViewport(VIEWPORT).catch(() => undefined);
    return tab;
  }

  #nameOf(targetId: string): string {
    const numbers = Object.values(this.names).map((name) => Number(name.slice(1)));
    return (this.names[targetId] ??= `t${Math.max(0, ...numbers) + 1}`);
  }

  #forget(page: Page): void {
    const tab = this.#tabs.get(page);
    this.#tabs.delete(page);
    if (this.#front === tab) this.#front = undefined;
    if (this.#active === tab) this.#activate(this.list().at(-1));
  }

  #activate(tab: Tab | undefined): void {
    if (this.#active === tab) return;
    this.#active = tab;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Has every document's address looked at before it is asked for, those of redirects and frames too. */
  async #guard(tab: Tab): Promise<void> {
    const session = await tab.page.createCDPSession();
    session.on("Fetch.requestPaused", ({ requestId, request }) => {
      const reason = refusal(request.url, this.#policy);
      if (reason !== undefined) tab.refuse(reason);
      const answer =
        reason === undefined
          ? session.send("Fetch.continueRequest", { requestId })
          : // Aborted leaves the page as it was.
            session.send("Fetch.failRequest", { requestId, errorReason: "Aborted" });
      // The page may have gone on.
      answer.catch(() => undefined);
    });
    await session.send("Fetch.enable", { patterns: [{ resourceType: "Document", requestStage: "Request" }] });
  }
}
