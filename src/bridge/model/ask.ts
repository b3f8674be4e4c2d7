import type { ModelTarget } from "../../config/providers.ts";
import { pause } from "../../core/deadline.ts";
import { Attempt, type AttemptOptions, type Outcome, type Trouble } from "./attempt.ts";
import type { Breaker } from "./breaker.ts";
import type { Question } from "./question.ts";

/** A provider that has said nothing for so long gets company: the next one is asked beside it, and the first to speak is heard. */
const COMPANY_MS = 2_000;
/** When all have failed so early, those whose trouble may pass are asked once more. */
const AGAIN_BEFORE_MS = 4_000;
const AGAIN_AFTER_MS = 1_000;
const LONGEST_PAUSE_MS = 3_000;
/** Whoever is asked late still gets so long. */
const LEAST_SILENCE_MS = 1_500;

type Answer = Exclude<Outcome, { kind: "trouble" }>;

export type Asked =
  | { kind: "answered"; target: ModelTarget; answer: Answer; troubles: Trouble[] }
  | { kind: "failed"; troubles: Trouble[] }
  /** All of them want to be left alone for so long; none was asked. */
  | { kind: "wait"; ms: number };

export interface AskOptions extends Omit<AttemptOptions, "silenceMs"> {
  targets: readonly ModelTarget[];
  breaker: Breaker;
  /** How long all of them together may be silent. */
  patienceMs: number;
  /** Fires when the container goes away. */
  signal: AbortSignal;
}

/** Asks one provider after the other until one answers. */
export async function ask(question: Question, options: AskOptions): Promise<Asked> {
  const { targets, breaker, signal } = options;
  const started = Date.now();
  const first = breaker.order(targets, started);
  if (first.length === 0) return { kind: "wait", ms: breaker.soonest(targets, started) };
  const asked = await askRound(first, question, options, started);
  if (asked.kind === "answered") return asked;
  const again = asked.troubles.filter(({ passing, retryAfterMs = 0 }) => passing && retryAfterMs <= LONGEST_PAUSE_MS);
  const wait = Math.max(AGAIN_AFTER_MS, Math.min(...again.map(({ retryAfterMs = 0 }) => retryAfterMs)));
  if (again.length === 0 || signal.aborted || Date.now() - started > AGAIN_BEFORE_MS) return asked;
  await pause(wait, signal);
  const second = await askRound(
    again.map(({ target }) => target),
    question,
    options,
    started,
  );
  return { ...second, troubles: [...asked.troubles, ...second.troubles] };
}

type Round = Exclude<Asked, { kind: "wait" }>;

async function askRound(
  targets: readonly ModelTarget[],
  question: Question,
  options: AskOptions,
  started: number,
): Promise<Round> {
  const { breaker, patienceMs, signal } = options;
  const waiting = [...targets];
  const running = new Set<Attempt>();
  const troubles: Trouble[] = [];
  const begin = () => {
    const target = waiting.shift();
    if (!target) return;
    const silenceMs = Math.max(LEAST_SILENCE_MS, patienceMs - (Date.now() - started));
    running.add(new Attempt(target, question, { ...options, silenceMs }));
  };
  const gone = new Promise<"gone">((resolve) => {
    signal.addEventListener("abort", () => resolve("gone"), { once: true });
  });
  begin();
  try {
    while (running.size > 0) {
      const attempts = [...running];
      // An answer in one piece gives no sign before it, so its silence says nothing.
      const patience = company(attempts, question.stream && waiting.length > 0, patienceMs);
      const event = await Promise.race([
        ...attempts.map(async (attempt) => ({ attempt, outcome: await attempt.outcome })),
        patience.over,
        gone,
      ]).finally(() => patience.stop());
      if (event === "gone") return { kind: "failed", troubles };
      if (event === "company") {
        begin();
        continue;
      }
      const { attempt, outcome } = event;
      running.delete(attempt);
      if (outcome.kind !== "trouble") {
        breaker.succeeded(attempt.target.name);
        for (const { target, alive } of running) if (!alive) troubles.push(silent(target));
        for (const trouble of troubles) note(breaker, trouble);
        return { kind: "answered", target: attempt.target, answer: outcome, troubles };
      }
      troubles.push(outcome.trouble);
      begin();
    }
    for (const trouble of troubles) note(breaker, trouble);
    return { kind: "failed", troubles };
  } finally {
    for (const attempt of running) attempt.cancel();
  }
}

/** When the next one is asked beside those that are being asked: soon, unless one of them shows that it works on it. */
function company(
  attempts: readonly Attempt[],
  more: boolean,
  patienceMs: number,
): { over: Promise<"company">; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<"company">();
  if (!more) return { over: promise, stop: () => undefined };
  let handle = setTimeout(() => {
    if (!attempts.some(({ alive }) => alive)) resolve("company");
    else handle = setTimeout(() => resolve("company"), Math.max(0, patienceMs - COMPANY_MS));
  }, COMPANY_MS);
  return { over: promise, stop: () => clearTimeout(handle) };
}

function silent(target: ModelTarget): Trouble {
  return { target, what: "was silent", passing: true, retryAfterMs: undefined };
}

function note(breaker: Breaker, { target, retryAfterMs, passing }: Trouble): void {
  breaker.failed(target.name, Date.now(), { retryAfterMs, lasting: !passing });
}
