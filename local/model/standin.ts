import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { z } from "zod";
import { planReply } from "./plan.ts";
import { countRequest, messagesRequest } from "./request.ts";
import { messageEvents, tokensOf, wholeMessage } from "./stream.ts";

/** The Messages API's own limit on a request body. */
const MOST_BYTES = 32 * 1024 * 1024;

const SETUP = "For a real model, set ANTHROPIC_API_KEY in .dev.vars and start again.";

export interface ModelStandIn {
  /** Base URL of the API, without /v1. */
  url: string;
  close(): Promise<void>;
}

/**
 * A server with the Anthropic Messages API and no model behind it: it follows scripts in the user's
 * last message (docs/stand-in-model.md) and otherwise repeats what it was told. It answers on loopback only
 * and takes any key. `setup` is the sentence that says how to get a real model.
 */
export async function startModelStandIn(options: {
  port?: number;
  setup?: string;
  /** Takes one line per request. */
  log(line: string): void;
}): Promise<ModelStandIn> {
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    let outcome: string;
    let cause = {};
    try {
      outcome = await answer(request, response, options.setup ?? SETUP);
    } catch (error) {
      if (response.destroyed) outcome = "gone";
      else if (error instanceof Refusal) outcome = fail(response, error);
      else {
        outcome = fail(response, new Refusal(500, "The stand-in model failed."));
        cause = { cause: error instanceof Error ? error.stack : "not an Error" };
      }
    }
    const ms = Math.round(performance.now() - started);
    options.log(JSON.stringify({ operation: "model stand-in", path: request.url, outcome, ms, ...cause }));
  }
  const server = createServer((request, response) => void serve(request, response));
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in model has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The HTTP answer the API gives when it does not give a message. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, setup: string): Promise<string> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (pathname !== "/v1/messages" && pathname !== "/v1/messages/count_tokens") {
    throw new Refusal(404, `There is no ${pathname} here: only POST /v1/messages and /v1/messages/count_tokens.`);
  }
  if (request.method !== "POST") throw new Refusal(405, `${pathname} takes POST, not ${request.method}.`);
  if (request.headers["anthropic-version"] === undefined)
    throw new Refusal(400, "anthropic-version: header is required");

  const body = await read(request);
  if (pathname === "/v1/messages/count_tokens") {
    parse(countRequest, body);
    return sendJson(response, 200, { input_tokens: tokensOf(body) });
  }
  const wanted = parse(messagesRequest, body);
  const plan = planReply(wanted, setup);
  if (plan.kind === "error") throw new Refusal(plan.status, plan.message);

  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const head = { id: randomUUID().replaceAll("-", ""), model: wanted.model, inputTokens: tokensOf(body) };
  if (!wanted.stream) {
    const message = await wholeMessage(head, plan, gone.signal);
    if (!plan.dropped) return sendJson(response, 200, message);
    response.destroy();
    return "dropped";
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  for await (const event of messageEvents(head, plan, gone.signal)) {
    if (!response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)) {
      await once(response, "drain", { signal: gone.signal });
    }
  }
  if (plan.dropped) {
    // What was written must reach the peer before the connection breaks, or it looks like no answer at all.
    await new Promise<void>((resolve) => void response.write("", () => resolve()));
    response.destroy();
    return "dropped";
  }
  response.end();
  return "200";
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Refusal(413, "Request exceeds the maximum size");
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse<T>(schema: z.ZodType<T>, body: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refusal(400, "The request body is not valid JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(400, `${issue?.path.join(".") || "body"}: ${issue?.message ?? "not valid"}`);
}

const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

function fail(response: ServerResponse, { status, message }: Refusal): string {
  if (response.headersSent) {
    response.destroy();
    return String(status);
  }
  const type = ERROR_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return sendJson(response, status, { type: "error", error: { type, message }, request_id: `req_${randomUUID()}` });
}

function sendJson(response: ServerResponse, status: number, body: unknown): string {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
  return String(status);
}
