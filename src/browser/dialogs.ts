import type { Dialog, Page } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { DialogView } from "./access.ts";

/** The dialog of one tab. While one is open the page answers nothing, so whoever waits for it is told. */
export class Dialogs {
  #open: Dialog | undefined;
  #opened = Promise.withResolvers<never>();

  constructor(page: Page) {
    this.#rearm();
    page.on("dialog", (dialog) => {
      this.#open = dialog;
      this.#opened.reject(interrupted(viewOf(dialog)));
    });
  }

  get open(): DialogView | undefined {
    return this.#open && viewOf(this.#open);
  }

  /** `work`, or a failure as soon as a dialog opens or if one is open. The work goes on when it is answered. */
  async interrupting<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open) throw interrupted(viewOf(this.#open));
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
    const view = viewOf(dialog);
    if (accept) await dialog.accept(text);
    else await dialog.dismiss();
    return view;
  }

  #rearm(): void {
    this.#opened = Promise.withResolvers<never>();
    // Nobody may be waiting when it opens.
    this.#opened.promise.catch(() => undefined);
  }
}

function viewOf(dialog: Dialog): DialogView {
  const offered = dialog.defaultValue();
  return { type: dialog.type(), message: dialog.message().slice(0, 1000), ...(offered ? { default: offered } : {}) };
}

function interrupted({ type, message }: DialogView): Failure {
  return new Failure("conflict", `A dialog is open: ${type} "${message}".`, {
    hint: "Answer it with browser_dialog; until then the page does nothing else.",
  });
}
