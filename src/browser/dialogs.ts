import type { Dialog, Page } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { DialogView } from "./access.ts";
import type { Hide } from "./secrets.ts";

/** The dialog of one tab. While one is open the page answers nothing, so whoever waits for it is told. */
export class Dialogs {
  readonly #hide: Hide;
  #open: Dialog | undefined;
  #opened = Promise.withResolvers<never>();

  constructor(page: Page, hide: Hide) {
    this.#hide = hide;
    this.#rearm();
    page.on("dialog", (dialog) => {
      this.#open = dialog;
      this.#opened.reject(interrupted(this.#viewOf(dialog)));
    });
  }

  get open(): DialogView | undefined {
    return this.#open && this.#viewOf(this.#open);
  }

  /** `work`, or a failure as soon as a dialog opens or if one is open. The work goes on when it is answered. */
  async interrupting<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open) throw interrupted(this.#viewOf(this.#open));
    const running = work();
    // How it ends when a dialog was faster is of no interest.
    running.catch(() => undefined);
    return await Promise.race([running, this.#opened.promise]);
  }

  /** Answers the open dialog. Text is for a prompt. */
  async answer(accept: boolean, text: string | undefined): Promise<DialogView> {
    const dialog = this.#open;
    if (!dialog) {
      throw new Failure("conflict", "No dialog is open.", { hint: "browser_snapshot shows the page as it is." });
    }
    this.#open = undefined;
    this.#rearm();
    const view = this.#viewOf(dialog);
    if (accept) await dialog.accept(text);
    else await dialog.dismiss();
    return view;
  }

  #viewOf(dialog: Dialog): DialogView {
    const offered = this.#hide(dialog.defaultValue());
    const message = this.#hide(dialog.message()).slice(0, 1000);
    return { type: dialog.type(), message, ...(offered ? { default: offered } : {}) };
  }

  #rearm(): void {
    this.#opened = Promise.withResolvers<never>();
    // Nobody may be waiting when it opens.
    this.#opened.promise.catch(() => undefined);
  }
}

function interrupted({ type, message }: DialogView): Failure {
  return new Failure("conflict", `A dialog is open: ${type} "${message}".`, {
    hint: "Answer it with browser_dialog; until then the page does nothing else.",
  });
}
