import type { ModelTarget } from "../../config/providers.ts";
import { ModelStream } from "./model-stream.ts";
import type { Question } from "./question.ts";
import { scrub } from "./scrub.ts";
import { type AiBinding, type Metadata, send } from "./send.ts";

/** Why one provider gave no answer; in words that may be shown to people, and never the provider's own. */
export interface Trouble {
  target: ModelTarget;
  what: string;
  /** How long it wants to be left alone. */
  retryAfterMs: number | undefined;
  /** Asking again soon may help. */
  passing: boolean;
}

export type Outcome =
  | { kind: "stream"; head: Headers; stream: ModelStream }
  /** In one piece: what was asked for so, or a refusal that any other provider would give too. */
  | { kind: "whole"; status: number; head: Headers; text: string }
  | { kind: "trouble"; trouble: Trouble };

export interface AttemptOptions {
  ai: AiBinding | undefined;
  metadata: Metadata;
  /** What must not come back, whoever echoes it. */
  secrets: readonly string[];
  /** After so long without a sign of life it has failed. */
  silenceMs: number;
}

/** After so long without a word of an answer it has failed, for all its signs of life. */
const FIRST_WORD_MS = 60_000;
/** An answer in one piece comes without a sign before it. */
const WHOLE_MS = 120_000;
/** What is read of a refusal: an error message. */
const MOST_REFUSAL = 100_000;

/** The request is at fault, and would be anywhere. All else is the provider's trouble. */
const REFUSALS = new Set([400, 413, 422]);
/** Anthropic refuses with 400, like a faulty request, when there is no money left; only its words tell. */
const BROKE = /credit balance is too low/i;

/** One provider being asked. */
export class Attempt {
  readonly target: ModelTarget;
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  readonly #controller = new AbortController();
  #stream: ModelStream | undefined;

  constructor(target: ModelTarget, question: Question, options: AttemptOptions) {
    this.target = target;
    this.outcome = this.#ask(question, options);
  }

  /** It has said something, though not yet anything for the user. */
  get alive(): boolean {
    return this.#stream?.alive ?? false;
  }

  /** The connection is given up; the provider stops. */
  cancel(): void {
    this.#controller.abort(new Error("Not waited for any more."));
    void this.#stream?.cancel();
  }

  async #ask(question: Question, options: AttemptOptions): Promise<Outcome> {
    const silence = timer(question.stream ? options.silenceMs : WHOLE_MS);
    const firstWord = timer(FIRST_WORD_MS);
    try {
      const asked = this.#answer(question, options);
      asked.catch(() => undefined);
      const first = await Promise.race([asked, silence.over]);
      if (first !== OVER) return first;
      // Whoever lives may think for a while.
      const second = this.alive ? await Promise.race([asked, firstWord.over]) : OVER;
      if (second !== OVER) return second;
      this.cancel();
      return this.#trouble(this.alive ? "gave no answer in time" : "was silent", { passing: true });
    } catch {
      return this.#trouble("could not be reached", { passing: true });
    } finally {
      silence.stop();
      firstWord.stop();
    }
  }

  async #answer(question: Question, options: AttemptOptions): Promise<Outcome> {
    const { signal } = this.#controller;
    const response = await send(this.target, question, { ai: options.ai, metadata: options.metadata, signal });
    if (!response.ok) return await this.#refused(response, options);
    if (!question.stream) {
      const text = scrub(await response.text(), options.secrets);
      if (!isJson(text)) return this.#trouble("answered with something that is no answer", { passing: true });
      return { kind: "whole", status: response.status, head: response.headers, text };
    }
    if (!response.body) return this.#trouble("answered with nothing", { passing: true });
    const stream = new ModelStream(response.body, this.target.api, options.secrets);
    this.#stream = stream;
    const beginning = await stream.begin();
    switch (beginning) {
      case "content":
        return { kind: "stream", head: response.headers, stream };
      case "error":
        await stream.cancel();
        return this.#trouble("reported an error", { passing: true });
      case "garbage":
        await stream.cancel();
        return this.#trouble("answered with something that is no answer", { passing: true });
      case "dropped":
        return this.#trouble("broke off before the first word", { passing: true });
    }
  }

  async #refused(response: Response, options: AttemptOptions): Promise<Outcome> {
    const { status, headers } = response;
    if (REFUSALS.has(status)) {
      const text = scrub((await response.text()).slice(0, MOST_REFUSAL), options.secrets);
      if (!BROKE.test(text)) return { kind: "whole", status, head: headers, text };
      return this.#trouble("has no credit left", { passing: false });
    }
    await response.body?.cancel();
    const retryAfterMs = readRetryAfter(headers.get("retry-after"), Date.now());
    return this.#trouble(told(status), { passing: status === 408 || status === 429 || status >= 500, retryAfterMs });
  }

  #trouble(what: string, more: { passing: boolean; retryAfterMs?: number | undefined }): Outcome {
    const { passing, retryAfterMs } = more;
    return { kind: "trouble", trouble: { target: this.target, what, passing, retryAfterMs } };
  }
}

function told(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return `did not accept the key (${status})`;
    case 402:
      return "has no credit left (402)";
    case 404:
      return "does not have the model (404)";
    case 429:
      return "limits requests (429)";
    case 529:
      return "is overloaded (529)";
  }
  return status >= 500 ? `failed (${status})` : `answered with status ${status}`;
}

/** Seconds or a date, as HTTP has it. Undefined when nothing sensible is said. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

const OVER = Symbol("over");

function timer(ms: number): { over: Promise<typeof OVER>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<typeof OVER>();
  const handle = setTimeout(() => resolve(OVER), ms);
  return { over: promise, stop: () => clearTimeout(handle) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
