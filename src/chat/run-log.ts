import { type ApprovalEvent, type ChatEvent, type EndEvent, extent, isOver, type RunEvent } from "./event.ts";
import { cut, type RunStore } from "./run-store.ts";

/**
 * Text waits this long before it is written, so that a stream of small pieces makes few rows. Followers do not
 * wait: they get it from memory. What a crash loses of it, the gateway has.
 */
const FLUSH_MS = 400;

/**
 * Characters of an answer that are kept. Beyond 500 000 the gateway drops the beginning of the live text, so that
 * every piece would replace all of it; a row of the database holds 2 MB.
 */
const MOST_TEXT = 400_000;

/** What happened in one run so far: appended by the run, read by any number of followers. */
export class RunLog {
  readonly #store: RunStore;
  readonly #run: string;
  /** Not written yet; only text. */
  #tail: ChatEvent[] = [];
  #position: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #changed = Promise.withResolvers<void>();
  /** All text so far. */
  text = "";
  ended = false;
  /** No more text is taken. */
  #full = false;
  /** Tools that have begun and not ended: id → name. */
  readonly tools = new Map<string, string>();
  /** What it has asked for: id → what, and the answer once there is one. */
  readonly approvals = new Map<string, ApprovalEvent & { answer?: string }>();

  /** Takes up what is stored: a run may go on in another life of the object. */
  constructor(store: RunStore, run: string) {
    this.#store = store;
    this.#run = run;
    this.#position = 0;
    for (let page = store.events(run, 0); page.length > 0; page = store.events(run, this.#position)) {
      for (const event of page) {
        this.#note(event);
        this.#position = event.cursor;
      }
    }
  }

  /** Makes `whole` all the text there is: stores and sends what it adds, or a replacement when it is not a continuation. */
  setText(all: string): void {
    if (this.ended || this.#full || all === this.text) return;
    const whole = all.slice(0, MOST_TEXT);
    if (whole.startsWith(this.text)) this.#add({ type: "text", text: whole.slice(this.text.length) });
    else this.append({ type: "text", text: whole, replace: true });
    if (this.#full)
      this.append({ type: "note", text: `The answer is longer than ${MOST_TEXT} characters; the rest is not sent.` });
  }

  append(event: Exclude<RunEvent, EndEvent>): void {
    if (this.ended) return;
    this.flush();
    this.#write(event);
  }

  end(event: EndEvent): void {
    if (this.ended) return;
    this.flush();
    this.#write(this.#full || event.text.length > MOST_TEXT ? { ...event, text: this.text } : event);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#tail.length === 0) return;
    const text = this.#tail.map((event) => (event.type === "text" ? event.text : "")).join("");
    this.#tail = [];
    this.#store.append(this.#run, this.#position, { type: "text", text });
  }

  /** What is beyond the cursor, oldest first; empty when there is nothing yet. At most a page at a time. */
  read(cursor: number): ChatEvent[] {
    const tailFrom = this.#position - this.#tail.reduce((sum, event) => sum + extent(event), 0);
    if (cursor < tailFrom) return this.#store.events(this.#run, cursor);
    return this.#tail.filter((event) => event.cursor > cursor).map((event) => cut(event, cursor));
  }

  /** What it asks now, oldest first. */
  waiting(now: number): ApprovalEvent[] {
    return [...this.approvals.values()].filter(({ answer, expires }) => answer === undefined && !isOver(expires, now));
  }

  /** Resolves at the next change. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  #add(event: RunEvent): void {
    this.#note(event);
    this.#position += extent(event);
    this.#tail.push({ ...event, cursor: this.#position });
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
    this.#wake();
  }

  #write(event: RunEvent): void {
    this.#note(event);
    this.#position += extent(event);
    this.#store.append(this.#run, this.#position, event);
    this.#wake();
  }

  #note(event: RunEvent): void {
    switch (event.type) {
      case "text":
        this.text = event.replace ? event.text : this.text + event.text;
        this.#full = this.text.length >= MOST_TEXT;
        return;
      case "tool":
        if (event.phase === "start") this.tools.set(event.id, event.name);
        else this.tools.delete(event.id);
        return;
      case "approval":
        this.#noteApproval(event);
        return;
      case "end":
        this.ended = true;
        return;
      case "image":
      case "note":
    }
  }

  #noteApproval(event: ApprovalEvent): void {
    const { id, phase, decision = "elsewhere" } = event;
    const asked = this.approvals.get(id);
    if (phase === "asked") this.approvals.set(id, event);
    else if (asked) this.approvals.set(id, { ...asked, answer: decision });
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
