import type { Page } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { PageState, SnapshotMode, SnapshotText } from "./access.ts";
import { Activity } from "./activity.ts";
import { Dialogs } from "./dialogs.ts";
import { SNAPSHOT_CHARACTERS } from "./limits.ts";
import { outline, under } from "./outline.ts";
import { type Element, HANDLES, Refs } from "./refs.ts";
import { hidden, type Hide } from "./secrets.ts";
import { type Node, treeOf } from "./tree.ts";
import { factsOf } from "./frame-facts.ts";

/** Snapshots whose rest can still be asked for. */
const MOST_KEPT = 4;

/** One tab: the page, and what is remembered of it between calls. */
export class Tab {
  readonly page: Page;
  /** `t1`, `t2` … */
  readonly id: string;
  /** For what is cut before it is told. */
  readonly hide: Hide;
  readonly dialogs: Dialogs;
  readonly activity: Activity;
  readonly #refs = new Refs();
  readonly #kept = new Map<string, readonly string[]>();
  #refused: string | undefined;
  #snapshots = 0;
  #notes: string[] = [];

  constructor(id: string, page: Page, hide: Hide) {
    this.id = id;
    this.page = page;
    this.hide = hide;
    this.dialogs = new Dialogs(page, hide);
    this.activity = new Activity(page, hide);
  }

  /** Said once, with the next answer. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** The tab was led to an address that is not opened. */
  refuse(reason: string): void {
    this.#refused = reason;
  }

  /** Why it was not opened, if that happened since this was last asked. */
  takeRefusal(): string | undefined {
    const reason = this.#refused;
    this.#refused = undefined;
    return reason;
  }

  /** The document it shows. Another one has other elements. */
  get document(): string {
    return factsOf(this.page.mainFrame()).loaderId;
  }

  /** How the page is now; works while a dialog is open. */
  async state(): Promise<PageState> {
    const { targetInfo } = await factsOf(this.page.mainFrame()).client.send("Target.getTargetInfo");
    const dialog = this.dialogs.open;
    const errors = this.activity.newErrors();
    const notes = this.#notes;
    this.#notes = [];
    return {
      url: targetInfo.url,
      title: targetInfo.title,
      tab: this.id,
      ...(dialog ? { dialog } : {}),
      ...(errors.length > 0 ? { console_errors: errors } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    };
  }

  find(ref: string): Promise<Element> {
    return this.#refs.find(this.page, ref);
  }

  /** Lets go of the handles of a call. */
  release(): void {
    for (const client of new Set(this.page.frames().map((frame) => factsOf(frame).client))) {
      // A frame that is gone has let go already.
      client.send("Runtime.releaseObjectGroup", { objectGroup: HANDLES }).catch(() => undefined);
    }
  }

  async tree(): Promise<Node[]> {
    return hidden(await treeOf(this.page, this.#refs), this.hide);
  }

  /** The whole as lines, to compare with later. */
  async lines(): Promise<string[]> {
    return outline(await this.tree(), "full");
  }

  async snapshot(options: { mode: SnapshotMode; ref?: string | undefined; characters?: number | undefined }) {
    const { mode, ref, characters = SNAPSHOT_CHARACTERS } = options;
    const tree = await this.tree();
    if (ref === undefined) return this.#paged(outline(tree, mode), characters);
    const inner = under(tree, ref);
    if (!inner) {
      throw new Failure("not_found", `${ref} is not in the page's outline any more.`, {
        hint: "Take a new browser_snapshot and use a name from it.",
      });
    }
    return this.#paged(outline([inner], mode), characters);
  }

  /** The rest of an earlier snapshot. */
  rest(cursor: string, characters: number): SnapshotText {
    const [name = "", from = ""] = cursor.split(".");
    const lines = this.#kept.get(name);
    if (!lines) {
      throw new Failure("not_found", "The rest of that snapshot is not kept any more.", {
        hint: "Take a new browser_snapshot.",
      });
    }
    return part(lines, Number(from), characters, name);
  }

  #paged(lines: readonly string[], characters: number): SnapshotText {
    const name = `${this.id}s${++this.#snapshots}`;
    const first = part(lines, 0, characters, name);
    if (first.cursor === undefined) return first;
    this.#kept.set(name, lines);
    for (const old of [...this.#kept.keys()].slice(0, -MOST_KEPT)) this.#kept.delete(old);
    return first;
  }
}

/** Whole lines from `from` that fit; a line that alone does not is cut. */
function part(lines: readonly string[], from: number, characters: number, name: string): SnapshotText {
  const taken: string[] = [];
  let left = characters;
  for (const line of lines.slice(from)) {
    if (line.length + 1 > left && taken.length > 0) break;
    taken.push(line.length > left ? `${line.slice(0, left - 1)}…` : line);
    left -= line.length + 1;
  }
  const next = from + taken.length;
  return {
    snapshot: taken.join("\n"),
    total: lines.reduce((sum, line) => sum + line.length + 1, 0),
    ...(next < lines.length ? { cursor: `${name}.${next}` } : {}),
  };
}
