import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type ModelStandIn, startModelStandIn } from "../../local/model/standin.ts";
import { gatewayRequest } from "./request.ts";

let model: ModelStandIn;
beforeAll(async () => {
  model = await startModelStandIn({ log: () => {} });
});
afterAll(() => model.close());

const HEADERS = { "content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "any" };

function post(body: unknown, path = "/v1/messages", init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${model.url}${path}`, { method: "POST", headers: HEADERS, body: text, ...init });
}

const eventSchema = z.looseObject({ type: z.string() });

/** The events of a stream; also checks that each event's name is its data's type. */
function parseEvents(stream: string) {
  return stream
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
      const event = eventSchema.parse(JSON.parse(data));
      expect(event.type).toBe(name);
      return event;
    });
}

const errorSchema = z.object({
  type: z.literal("error"),
  error: z.object({ type: z.string(), message: z.string() }),
  request_id: z.string(),
});

async function refusal(response: Response) {
  return { status: response.status, ...errorSchema.parse(await response.json()).error };
}

test("streams a text in the order of the Messages API", async () => {
  const response = await post(gatewayRequest("long: 20"));
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const events = parseEvents(await response.text());
  const types = events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]);
  expect(types).toEqual([
    "message_start",
    "content_block_start",
    "ping",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  expect(events[0]).toMatchObject({
    message: { role: "assistant", model: "stand-in", content: [], stop_reason: null },
  });
  expect(events.at(-2)).toMatchObject({
    delta: { stop_reason: "end_turn" },
    usage: { output_tokens: expect.any(Number) },
  });
  const text = events.map(
    (event) => z.object({ delta: z.object({ text: z.string() }) }).safeParse(event).data?.delta.text ?? "",
  );
  expect(text.join("")).toMatch(/^\[stand-in model, not an AI\] word1 .* word20$/);
});

test("streams text and a tool call as two blocks", async () => {
  const events = parseEvents(await (await post(gatewayRequest("say: first\nrun: ls"))).text());
  const starts = events.filter(({ type }) => type === "content_block_start");
  expect(starts).toMatchObject([
    { index: 0, content_block: { type: "text" } },
    { index: 1, content_block: { type: "tool_use", name: "exec", input: {} } },
  ]);
  const json = {
    type: "content_block_delta",
    index: 1,
    delta: { type: "input_json_delta", partial_json: '{"command":"ls"}' },
  };
  expect(events).toContainEqual(json);
  expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" } });
});

test("gives the same message in one piece", async () => {
  const response = await post({ ...gatewayRequest("say: first\nrun: ls"), stream: false });
  expect(await response.json()).toMatchObject({
    type: "message",
    content: [
      { type: "text", text: "[stand-in model, not an AI] first" },
      { type: "tool_use", name: "exec", input: { command: "ls" } },
    ],
    stop_reason: "tool_use",
  });
});

test("keeps every character of a text, streamed or whole", async () => {
  const said = "  a   b\tc — d ";
  const whole = await (await post({ ...gatewayRequest(`say: ${said}`), stream: false })).json();
  expect(whole).toMatchObject({ content: [{ text: `[stand-in model, not an AI] ${said.trim()}` }] });
});

test("paces slow words and stops when the client goes", async () => {
  const abort = new AbortController();
  const response = await post(gatewayRequest("slow: 3000"), "/v1/messages", { signal: abort.signal });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes("word2")) seen += decoder.decode((await reader?.read())?.value);
  expect(seen).not.toContain("word9");
  abort.abort();
  await expect(reader?.read()).rejects.toThrow();
});

test("breaks a dropped stream off in mid-text", async () => {
  const response = await post(gatewayRequest("drop:"));
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  let seen = "";
  const read = async () => {
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done) return;
      seen += new TextDecoder().decode(part.value);
    }
  };
  await expect(read()).rejects.toThrow();
  expect(seen).toContain("breaks");
  expect(seen).not.toContain("content_block_stop");
});

test("fails in the API's error shape", async () => {
  expect(await refusal(await post(gatewayRequest("fail: 529")))).toMatchObject({
    status: 529,
    type: "overloaded_error",
  });
  expect(await refusal(await post(gatewayRequest("fail: 429")))).toMatchObject({
    status: 429,
    type: "rate_limit_error",
  });
});

test("says what is wrong with a request", async () => {
  expect(await refusal(await post("{"))).toMatchObject({ status: 400, message: "The request body is not valid JSON" });
  expect(await refusal(await post({ ...gatewayRequest("x"), max_tokens: 0 }))).toMatchObject({
    status: 400,
    type: "invalid_request_error",
    message: expect.stringMatching(/^max_tokens: /),
  });
  expect(await refusal(await post(gatewayRequest("x", [], { messages: [] })))).toMatchObject({ status: 400 });
  const undated = await post(gatewayRequest("x"), "/v1/messages", { headers: { "content-type": "application/json" } });
  expect(await refusal(undated)).toMatchObject({ status: 400, message: "anthropic-version: header is required" });
  expect(await refusal(await post({}, "/v1/other"))).toMatchObject({ status: 404, type: "not_found_error" });
});

test("counts tokens without a limit on the answer", async () => {
  const { max_tokens: _, ...body } = gatewayRequest("hello");
  expect(await (await post(body, "/v1/messages/count_tokens")).json()).toEqual({ input_tokens: expect.any(Number) });
});
