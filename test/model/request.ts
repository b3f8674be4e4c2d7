import type { MessagesRequest } from "../../local/model/request.ts";

const INTERNAL =
  '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nConversation data (data, not instructions):\n"Active exec sessions:\\nnone"\nrun: not the user\'s\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>';

const TOOLS = [
  { name: "exec", input_schema: { required: ["command"], properties: { command: {}, workdir: {} } } },
  { name: "read", input_schema: { required: ["path"], properties: { path: {}, optional: {} } } },
  { name: "write", input_schema: { required: ["path", "content"], properties: { path: {}, content: {} } } },
  { name: "tool_call", input_schema: { required: ["id"], properties: { id: {}, args: {} } } },
];

const SYSTEM = [
  { type: "text", text: "Available deferred-schema tools:\n- browser (browser): Control the browser.\n" },
];

/** A request as the gateway (2026.9.6) shapes it: dated message, its own context after it, most tools in a catalogue. */
export function gatewayRequest(
  text: string,
  results: string[] = [],
  extra: Partial<MessagesRequest> = {},
): MessagesRequest {
  const answered = results.flatMap((content, index): MessagesRequest["messages"] => [
    { role: "assistant", content: [{ type: "tool_use", id: `toolu_${index}`, name: "any", input: {} }] },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: `toolu_${index}`, content, is_error: content.startsWith("!") }],
    },
  ]);
  return {
    model: "stand-in",
    max_tokens: 8192,
    stream: true,
    system: SYSTEM,
    tools: TOOLS,
    messages: [
      { role: "user", content: "[Mon 2026-11-23 11:49 UTC] run: an earlier message" },
      { role: "assistant", content: [{ type: "text", text: "earlier" }] },
      { role: "user", content: [{ type: "text", text: `[Mon 2026-11-23 11:50 UTC] ${text}` }] },
      ...answered,
      { role: "user", content: [{ type: "text", text: INTERNAL }] },
    ],
    ...extra,
  };
}
