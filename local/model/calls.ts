import { type MessagesRequest, plainText, type ToolResult } from "./request.ts";
import type { Step } from "./script.ts";

export interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

type ToolStep = Extract<Step, { verb: "run" | "remember" | "browse" | "tool" }>;
type CallMaker = (before: ToolResult[]) => ToolCall | string;

/** The tool calls behind a step, each made from the results of those before it; a string says why one cannot be made. */
export function callsOf(step: ToolStep): CallMaker[] {
  switch (step.verb) {
    case "run":
      return [() => ({ name: "exec", input: { command: step.command } })];
    case "tool":
      return [() => ({ name: step.name, input: step.input })];
    case "browse":
      return [
        () => ({ name: "browser", input: { action: "open", url: step.url } }),
        () => ({ name: "browser", input: { action: "snapshot" } }),
      ];
    case "remember":
      return [
        () => ({ name: "read", input: { path: "MEMORY.md", optional: true } }),
        ([read]) => appended("MEMORY.md", read?.text ?? "", `- ${step.text}\n`),
      ];
  }
}

/** Longest file `remember:` rewrites: the read tool cuts off what is longer, and the rest would be lost. */
const MOST_REWRITTEN = 40_000;

/** There is no append tool: the file is read whole and written whole. */
function appended(path: string, before: string, line: string): ToolCall | string {
  const known = before.startsWith("Optional file not found") ? "" : before;
  if (known.length > MOST_REWRITTEN || known.split("\n").length > 1_500) {
    return `Not done: ${path} is too long to be rewritten safely.`;
  }
  const ended = known === "" || known.endsWith("\n") ? known : `${known}\n`;
  return { name: "write", input: { path, content: `${ended}${line}` } };
}

/** The call as the request's own tool definitions allow it, or the sentence that says why not. */
export function offered(request: MessagesRequest, call: ToolCall): ToolCall | string {
  const tools = request.tools ?? [];
  const tool = tools.find(({ name }) => name === call.name);
  if (tool) {
    const known = tool.input_schema?.properties;
    const unknown = known ? Object.keys(call.input).filter((key) => !Object.hasOwn(known, key)) : [];
    const missing = (tool.input_schema?.required ?? []).filter((key) => !Object.hasOwn(call.input, key));
    if (unknown.length === 0 && missing.length === 0) return call;
    const faults = [...unknown.map((key) => `it does not know ${key}`), ...missing.map((key) => `it wants ${key}`)];
    return `Not done: the tool ${call.name} is offered, but ${faults.join(", ")}.`;
  }
  // The gateway keeps most tools behind a catalogue, listed by name in the system prompt.
  const listed = plainText(request.system ?? "").includes(`\n- ${call.name} (`);
  if (listed && tools.some(({ name }) => name === "tool_call")) {
    return { name: "tool_call", input: { id: call.name, args: call.input } };
  }
  const names = tools.map(({ name }) => name).join(", ");
  return `Not done: the tool ${call.name} is not offered in this request (offered: ${names === "" ? "none" : names}).`;
}
