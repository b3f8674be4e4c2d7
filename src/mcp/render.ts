import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";
import type { Failure } from "../core/failure.ts";
import type { ToolAnswer } from "../tools/tool.ts";

/** Clients cut results that are longer; then the tool's own way to get the rest is lost too. */
const MOST_CHARACTERS = 24_000;

/** A tool's answer on the wire: text for the model, the data beside it, pictures as image blocks. */
export function renderAnswer(answer: ToolAnswer<Record<string, unknown>>): CallToolResult {
  const content: ContentBlock[] = [{ type: "text", text: capped(answer.text) }];
  for (const image of answer.images ?? []) content.push({ type: "image", data: image.data, mimeType: image.mimeType });
  return { content, structuredContent: answer.data, ...(answer.failed ? { isError: true } : {}) };
}

/** A failure as a result the model can act on: what happened, and what to do next. */
export function renderFailure(failure: Failure): CallToolResult {
  const text = failure.hint ? `${failure.message}\n${failure.hint}` : failure.message;
  return { content: [{ type: "text", text: capped(text) }], isError: true };
}

function capped(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}\n[${text.length - MOST_CHARACTERS} characters left out]`;
}
