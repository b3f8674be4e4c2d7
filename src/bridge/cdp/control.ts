import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import { closeAs } from "../../core/close-code.ts";

const ANSWER_WITHIN_MS = 15_000;

const answerSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** The bridge's own connection to a session: for the questions of /json, and to know at once when the browser has gone. */
export class Control {
  readonly session: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #open = true;

  constructor(session: string, socket: WebSocket) {
    this.session = session;
    this.#socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => this.#answered(data));
    for (const event of ["close", "error"] as const) socket.addEventListener(event, () => this.#gone());
  }

  get open(): boolean {
    return this.#open;
  }

  /** Asks the browser; rejects when it refuses, is gone or says nothing. */
  async ask<T>(schema: z.ZodType<T>, method: string, params: Record<string, unknown> = {}): Promise<T> {
    if (!this.#open) throw gone();
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    const timer = setTimeout(
      () => answer.reject(new Failure("timeout", `The browser does not answer ${method}.`)),
      ANSWER_WITHIN_MS,
    );
    try {
      this.#socket.send(JSON.stringify({ id, method, params }));
      return schema.parse(await answer.promise);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    closeAs(this.#socket, { code: 1000, reason: "" });
    this.#gone();
  }

  #answered(data: unknown): void {
    const answer = answerSchema.safeParse(typeof data === "string" ? JSON.parse(data) : undefined);
    if (!answer.success) return;
    const { id, result, error } = answer.data;
    if (error) this.#waiting.get(id)?.reject(new Failure("not_found", `The browser refuses: ${error.message}`));
    else this.#waiting.get(id)?.resolve(result);
  }

  #gone(): void {
    this.#open = false;
    for (const { reject } of this.#waiting.values()) reject(gone());
  }
}

function gone(): Failure {
  return new Failure("unavailable", "The browser has gone.", { hint: "Ask again: another one is started." });
}
