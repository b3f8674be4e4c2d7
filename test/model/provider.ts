import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";

/** What a provider on loopback does when it is asked. */
export type Behaviour =
  | { kind: "answer"; text: string; pieces?: number; paceMs?: number }
  /** An HTTP error; the body repeats every header it was sent, as some proxies do. */
  | { kind: "status"; status: number; headers?: Record<string, string>; body?: string }
  | { kind: "hang" }
  /** The beginning of an answer that has no word in it, then nothing. */
  | { kind: "think" }
  | { kind: "reset" }
  | { kind: "garbage" }
  /** An error event in a stream that began well. */
  | { kind: "error-event" }
  /** Some words, then the connection breaks. */
  | { kind: "drop"; text: string }
  /** An answer that repeats the headers it was sent. */
  | { kind: "echo" }
  /** What another server answers to the same. */
  | { kind: "forward"; to: string };

export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** Whether whoever asked went away before the answer was complete. */
  left: boolean;
  /** Whether the whole answer was written. */
  done: boolean;
}

export interface TestProvider {
  url: string;
  /** Every request so far. */
  asked: Asked[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** A model provider on loopback that speaks the API it is asked by and fails as it is told. */
export async function startProvider(first: Behaviour = { kind: "answer", text: "hello" }): Promise<TestProvider> {
  const asked: Asked[] = [];
  let behaviour = first;
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method = "", url = "", headers } = request;
    const entry = { method, url, headers, body: Buffer.concat(chunks).toString(), left: false, done: false };
    asked.push(entry);
    response.once("close", () => {
      entry.left = !response.writableFinished;
    });
    response.once("finish", () => {
      entry.done = true;
    });
    await behave(response, behaviour, entry);
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The provider has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    behave(next) {
      behaviour = next;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function behave(response: ServerResponse, behaviour: Behaviour, asked: Asked): Promise<void> {
  const events = eventsOf(asked.url);
  switch (behaviour.kind) {
    case "status": {
      const said =
        behaviour.body ?? JSON.stringify({ error: { message: `you sent ${JSON.stringify(asked.headers)}` } });
      response.writeHead(behaviour.status, { "content-type": "application/json", ...behaviour.headers }).end(said);
      return;
    }
    case "hang":
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "garbage":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end("data: <html>not an event\n\n<body>Service unavailable</body>\n");
      return;
    case "think":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events.begin);
      return;
    case "error-event":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(events.begin + events.error);
      return;
    case "drop":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events.begin + events.text(behaviour.text));
      setTimeout(() => response.destroy(), 100);
      return;
    case "forward": {
      const headers = { "content-type": "application/json", "anthropic-version": "2023-06-01" };
      const answer = await fetch(behaviour.to + asked.url, { method: "POST", headers, body: asked.body });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
      return;
    }
    case "echo":
      await stream(response, events, JSON.stringify(asked.headers), {});
      return;
    case "answer":
      if (!/"stream":\s*true/.test(asked.body)) {
        response.writeHead(200, { "content-type": "application/json" }).end(events.whole(behaviour.text));
        return;
      }
      await stream(response, events, behaviour.text, behaviour);
  }
}

async function stream(
  response: ServerResponse,
  events: Events,
  text: string,
  { pieces = 1, paceMs = 0 }: { pieces?: number; paceMs?: number },
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "x-account": "of the provider" });
  response.write(events.begin);
  for (let piece = 0; piece < pieces && !response.destroyed; piece++) {
    if (paceMs > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
    if (!response.write(events.text(text))) await once(response, "drain");
  }
  response.end(events.end);
}

interface Events {
  begin: string;
  text(text: string): string;
  end: string;
  error: string;
  whole(text: string): string;
}

const INPUT = 100;
const OUTPUT = 7;

function eventsOf(url: string): Events {
  if (url.includes("/messages")) return MESSAGES;
  return url.includes("/responses") ? RESPONSES : COMPLETIONS;
}

const named = (event: { type: string; [field: string]: unknown }) =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const plain = (event: object) => `data: ${JSON.stringify(event)}\n\n`;

const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "the-provider's-own-name",
  stop_reason: null,
  stop_sequence: null,
};
const MESSAGES: Events = {
  begin:
    named({
      type: "message_start",
      message: {
        ...message,
        content: [],
        usage: {
          input_tokens: INPUT - 40,
          cache_creation_input_tokens: 10,
          cache_read_input_tokens: 30,
          output_tokens: 1,
        },
      },
    }) + named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  text: (text) => named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  end:
    named({ type: "content_block_stop", index: 0 }) +
    named({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: OUTPUT } }) +
    named({ type: "message_stop" }),
  error: named({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  whole: (text) =>
    JSON.stringify({
      ...message,
      content: [{ type: "text", text }],
      stop_reason: "end_turn",
      usage: { input_tokens: INPUT, output_tokens: OUTPUT },
    }),
};

const completion = (delta: object, finish: string | null = null) =>
  plain({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "the-provider's-own-name",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
const completionUsage = {
  prompt_tokens: INPUT,
  completion_tokens: OUTPUT,
  total_tokens: INPUT + OUTPUT,
  prompt_tokens_details: { cached_tokens: 30 },
};
const COMPLETIONS: Events = {
  begin: completion({ role: "assistant", content: "" }),
  text: (content) => completion({ content }),
  end: `${completion({}, "stop")}${plain({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [], usage: completionUsage })}data: [DONE]\n\n`,
  error: plain({ error: { message: "Overloaded", type: "server_error" } }),
  whole: (content) =>
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: completionUsage,
    }),
};

const responsesUsage = {
  input_tokens: INPUT,
  output_tokens: OUTPUT,
  total_tokens: INPUT + OUTPUT,
  input_tokens_details: { cached_tokens: 30 },
};
const item = { id: "item_1", type: "message", role: "assistant" };
const response = { id: "resp_1", object: "response", model: "m" };
const RESPONSES: Events = {
  begin:
    named({ type: "response.created", response: { ...response, status: "in_progress", output: [] } }) +
    named({
      type: "response.output_item.added",
      output_index: 0,
      item: { ...item, status: "in_progress", content: [] },
    }) +
    named({
      type: "response.content_part.added",
      item_id: "item_1",
      output_index: 0,
      content_index: 0,
      part: { type: "output_text", text: "", annotations: [] },
    }),
  text: (delta) =>
    named({ type: "response.output_text.delta", item_id: "item_1", output_index: 0, content_index: 0, delta }),
  end: named({
    type: "response.completed",
    response: { ...response, status: "completed", output: [], usage: responsesUsage },
  }),
  error: named({ type: "error", code: "server_error", message: "Overloaded" }),
  whole: (text) =>
    JSON.stringify({
      ...response,
      status: "completed",
      output: [{ ...item, status: "completed", content: [{ type: "output_text", text }] }],
      usage: responsesUsage,
    }),
};
