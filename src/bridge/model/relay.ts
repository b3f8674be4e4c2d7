import type { ModelTarget } from "../../config/providers.ts";
import { Failure, type FailureView, toFailure } from "../../core/failure.ts";
import type { Journal } from "../../core/journal.ts";
import { log } from "../../core/log.ts";
import { APIS } from "./api.ts";
import { ask, type Asked } from "./ask.ts";
import type { Breaker } from "./breaker.ts";
import type { Ledger, TurnOwner, Turns } from "./ledger.ts";
import type { Ending } from "./model-stream.ts";
import { type Question, readQuestion } from "./question.ts";
import { metadataOf, NO_TOKENS, record } from "./record.ts";
import { scrub } from "./scrub.ts";
import type { AiBinding } from "./send.ts";

export interface ModelBridge {
  /** In the order they are asked; all of one API. */
  targets: readonly [ModelTarget, ...ModelTarget[]];
  patienceMs: number;
  /** What must not come back, whoever echoes it. */
  secrets: readonly string[];
  breaker: Breaker;
  ledger: Ledger;
  turns: Turns;
  journal: Journal;
  /** The Worker's AI binding; a Worker on one machine has none. */
  ai: AiBinding | undefined;
  /** Lets a promise go on after the answer. */
  later(work: Promise<unknown>): void;
}

/** Sends the gateway's model call to whoever answers it, and streams the answer back as it comes. */
export async function relayModelCall(request: Request, path: string, bridge: ModelBridge): Promise<Response> {
  const { api } = bridge.targets[0];
  const { path: main, also } = APIS[api];
  if (request.method !== "POST" || (path !== main && !also.includes(path))) {
    throw new Failure("not_found", "The model bridge has no such call.", { hint: `It takes POST ${main}.` });
  }
  const started = Date.now();
  const question = await readQuestion(request, path, api);
  try {
    await bridge.ledger.admit(started);
    const asked = await ask(question, { ...bridge, metadata: metadataOf(question.session), signal: request.signal });
    if (asked.kind !== "answered") throw request.signal.aborted ? gone() : noneAnswered(asked);
    for (const { target, what } of asked.troubles) log("warn", "model.attempt", { model: target.name, outcome: what });
    return await passOn(asked, question, bridge, started);
  } catch (error) {
    const failure = toFailure(error);
    const owner = failure.code === "cancelled" ? undefined : await tellFailed(failure.view(), question, bridge);
    const { session } = question;
    const ended = { started, firstWordMs: Date.now() - started, target: undefined, tokens: NO_TOKENS, session, owner };
    if (failure.cause !== undefined) log("error", "model.call", { outcome: failure.code, cause: failure.cause });
    bridge.later(record({ ...ended, outcome: failure.code }, bridge));
    // So that the gateway does not try again by itself: of all it may be told, it takes only a faulty request as final.
    return Response.json(APIS[api].error(failure.message), { status: 400 });
  }
}

type Answered = Extract<Asked, { kind: "answered" }>;

async function passOn(asked: Answered, question: Question, bridge: ModelBridge, started: number): Promise<Response> {
  const { answer, target } = asked;
  const { session } = question;
  const headers = passedBack(answer.head, bridge.secrets);
  const call = { started, firstWordMs: Date.now() - started, target, session };
  if (answer.kind === "whole") {
    const body = jsonObject(answer.text);
    const refused = answer.status >= 400;
    const owner = refused ? await tellFailed(refusedBy(target, answer.status, body), question, bridge) : undefined;
    const tokens = { ...NO_TOKENS, ...APIS[target.api].usage(body) };
    bridge.later(record({ ...call, tokens, owner, outcome: refused ? `refused (${answer.status})` : "ok" }, bridge));
    return new Response(answer.text, { status: answer.status, headers });
  }
  const told = tell(session, (key) => bridge.turns.answered(key, target.name));
  bridge.later(told);
  const { stream } = answer;
  const body = stream.rest(async (ending) => {
    // The turn learns who answered it before it learns that it has ended.
    const owner = await told;
    bridge.later(record({ ...call, tokens: stream.usage, owner, outcome: OUTCOMES[ending] }, bridge));
  });
  return new Response(body, { status: 200, headers });
}

const OUTCOMES: Record<Ending, string> = { complete: "ok", broken: "broken", cancelled: "cancelled" };

function tellFailed(failure: FailureView, { session }: Question, bridge: ModelBridge): Promise<TurnOwner | undefined> {
  return tell(session, (key) => bridge.turns.failed(key, failure));
}

/** What the chats are told is a courtesy: it never fails a call. */
async function tell(
  session: string | undefined,
  work: (session: string) => Promise<TurnOwner | undefined>,
): Promise<TurnOwner | undefined> {
  try {
    return session === undefined ? undefined : await work(session);
  } catch (error) {
    log("warn", "model.turn", { outcome: toFailure(error).code, cause: error });
    return undefined;
  }
}

function gone(): Failure {
  return new Failure("cancelled", "The container does not wait for the answer any more.");
}

const AGAIN =
  "Send the message again in a while; if it goes on, look at the model's settings and the provider's status.";

function noneAnswered(asked: Exclude<Asked, Answered>): Failure {
  if (asked.kind === "wait") {
    const seconds = Math.ceil(asked.ms / 1000);
    return new Failure("limited", `No model answers now: asked again too soon, for ${seconds} s more.`, {
      hint: "Send the message again after that, or have its owner set another model in MODEL_FALLBACKS.",
    });
  }
  for (const { target, what } of asked.troubles) log("warn", "model.attempt", { model: target.name, outcome: what });
  const last = new Map(asked.troubles.map(({ target, what }) => [target.name, `${target.name} ${what}`]));
  return new Failure("upstream", `No model answers now: ${[...last.values()].join("; ")}.`, { hint: AGAIN });
}

/** Of what a provider writes, only its own sentence about a faulty request is shown: it is about this conversation. */
function refusedBy({ name }: ModelTarget, status: number, { error }: Record<string, unknown>): FailureView {
  const said = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  const sentence = typeof said === "string" ? `: ${said.slice(0, 300)}` : ".";
  const hint = "Another conversation may help, or /compact in this one.";
  return { code: "upstream", message: `${name} refused the request (${status})${sentence}`, hint };
}

/** Response headers that mean something to the gateway; the rest stay out, for they may name accounts. */
const PASSED_BACK = ["content-type", "request-id"];

function passedBack(head: Headers, secrets: readonly string[]): Headers {
  const kept = new Headers({ "cache-control": "no-store" });
  for (const name of PASSED_BACK) {
    const value = head.get(name);
    if (value !== null) kept.set(name, scrub(value, secrets));
  }
  return kept;
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // A refusal need not be JSON.
    return {};
  }
}
