import type { ModelTarget } from "../../config/providers.ts";
import { Failure } from "../../core/failure.ts";
import { APIS } from "./api.ts";

/** The gateway knows one model by this name, whatever answers: another model or provider needs no new configuration. */
export const LOGICAL_MODEL = "moltbot";

/** A model call as the gateway makes it. */
export interface Question {
  /** The API's own path, such as "/v1/messages". */
  path: string;
  stream: boolean;
  /** The conversation's key in the gateway, which stands in its system prompt. */
  session: string | undefined;
  /** The request's body, for this model. Nothing else in it is touched. */
  bodyFor(model: string): string;
  /** Of the gateway's headers, those that are the API's own. */
  headers: Record<string, string>;
}

/** The longest conversation with pictures; the Messages API's own limit. Characters. */
const MOST_CHARS = 32 * 1024 * 1024;

export async function readQuestion(request: Request, path: string, api: ModelTarget["api"]): Promise<Question> {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > MOST_CHARS) throw tooLarge();
  const body = await request.text();
  if (body.length > MOST_CHARS) throw tooLarge();
  const members = topLevel(body);
  const model = members.get("model");
  if (!model) throw new Failure("invalid_input", "The request names no model.");
  const [from, to] = model;
  const stream = members.get("stream");
  const headers = { ...APIS[api].headers };
  for (const name of APIS[api].passedOn) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return {
    path,
    stream: stream !== undefined && body.slice(...stream) === "true",
    session: sessionOf(body, members.get("system") ?? members.get("instructions") ?? [0, body.length]),
    bodyFor: (name) => body.slice(0, from) + JSON.stringify(name) + body.slice(to),
    headers,
  };
}

type Span = [from: number, to: number];

const SPACE = new Set([" ", "\n", "\r", "\t"]);

/** Where the values of a JSON object's own members are. Not a parser: a request of 75 KB is only walked over once. */
export function topLevel(json: string): Map<string, Span> {
  const members = new Map<string, Span>();
  let at = json.indexOf("{") + 1;
  if (at === 0) return members;
  for (;;) {
    at = past(json, at, SPACE_OR_COMMA);
    if (json[at] !== '"') return members;
    const nameEnd = stringEnd(json, at);
    const name = json.slice(at + 1, nameEnd - 1);
    at = past(json, nameEnd, SPACE);
    if (json[at] !== ":") return members;
    const from = past(json, at + 1, SPACE);
    at = valueEnd(json, from);
    members.set(name, [from, at]);
  }
}

const SPACE_OR_COMMA = new Set([...SPACE, ","]);

function past(json: string, from: number, skipped: ReadonlySet<string>): number {
  let at = from;
  while (skipped.has(json[at] ?? "")) at += 1;
  return at;
}

/** After the closing quote. Backslashes are rare, quotes are not: this jumps from quote to quote. */
function stringEnd(json: string, from: number): number {
  for (let at = from; ;) {
    at = json.indexOf('"', at + 1);
    if (at === -1) return json.length;
    let backslashes = 0;
    while (json[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}

const INTERESTING = /["{}[\],]/g;

function valueEnd(json: string, from: number): number {
  let depth = 0;
  INTERESTING.lastIndex = from;
  for (let found = INTERESTING.exec(json); found; found = INTERESTING.exec(json)) {
    const at = found.index;
    switch (found[0]) {
      case '"':
        INTERESTING.lastIndex = stringEnd(json, at);
        if (depth === 0) return INTERESTING.lastIndex;
        break;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
        // The end of the object that a bare value was the last member of.
        if (depth === 0) return trimmed(json, from, at);
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
      case ",":
        if (depth === 0) return trimmed(json, from, at);
    }
  }
  return json.length;
}

function trimmed(json: string, from: number, to: number): number {
  return from + json.slice(from, to).trimEnd().length;
}

/** The gateway's line about its own run; measured with 2026.9.6. What the user wrote comes later in the body, escaped alike. */
const RUNTIME = /Runtime: agent=\S+ \| session=(agent:[^\s|"\\]{1,300})/;

function sessionOf(body: string, [from, to]: Span): string | undefined {
  return RUNTIME.exec(body.slice(from, to))?.[1];
}

function tooLarge(): Failure {
  return new Failure("too_large", "The conversation is too large for any model.");
}
