import { callsOf, offered, type ToolCall } from "./calls.ts";
import { lastTurn, type MessagesRequest, type ToolResult, type Turn } from "./request.ts";
import { parseScript, scriptVerbs, type Step } from "./script.ts";

/** Starts every reply, so that nobody takes this for a model. */
export const LABEL = "[stand-in model, not an AI] ";

export interface Passage {
  text: string;
  /** Milliseconds between words; 0 sends at once. */
  pace: number;
}

/** What one request is answered with. */
export type Plan =
  | { kind: "error"; status: number; message: string }
  | { kind: "message"; passages: Passage[]; call?: ToolCall; dropped?: true };

/** Longest quotation of one tool result, in characters. */
const QUOTED = 4_000;

/**
 * Each request is planned afresh from its own messages: the script is the user's last text, and the
 * tool results after it say how far it has run. `setup` is the sentence on how to get a real model.
 */
export function planReply(request: MessagesRequest, setup: string): Plan {
  const turn = lastTurn(request);
  const steps = parseScript(turn.text);
  if (steps.length === 0) return { kind: "message", passages: [said(`${LABEL}${echo(turn, setup)}`)] };

  const results = turn.results.values();
  const quotes: string[] = [];
  let passages: Passage[] = [];
  for (const step of steps) {
    if (step.verb === "fail") {
      return { kind: "error", status: step.status, message: `${LABEL}The script asked for status ${step.status}.` };
    }
    if (step.verb === "drop") {
      return labelled({
        kind: "message",
        passages: [...passages, said("The script breaks this off in mid-")],
        dropped: true,
      });
    }
    if (step.verb === "say" || step.verb === "words" || step.verb === "picture" || step.verb === "wrong") {
      passages.push(passage(step));
      continue;
    }
    const before: ToolResult[] = [];
    for (const makeCall of callsOf(step)) {
      const wanted = makeCall(before);
      const call = typeof wanted === "string" ? wanted : offered(request, wanted);
      if (typeof call === "string") {
        passages.push(said(call));
        break;
      }
      const { value: result } = results.next();
      if (result === undefined) return labelled({ kind: "message", passages, call });
      before.push(result);
      // What was said before the call went out with it.
      passages = [];
      quotes.push(quotation(call, result));
      if (result.failed) break;
    }
  }
  return labelled({ kind: "message", passages: [...quotes.map(said), ...passages] });
}

function echo(turn: Turn, setup: string): string {
  const images = turn.images === 0 ? "" : ` (and ${turn.images} image${turn.images === 1 ? "" : "s"})`;
  const heard = turn.text === "" ? `You sent no text${images}.` : `You said${images}: ${turn.text}`;
  return `${heard}\n\nNothing here understands that. ${setup} This stand-in only follows scripts: ${scriptVerbs()
    .map((verb) => `${verb}:`)
    .join(" ")}`;
}

function passage(step: Extract<Step, { verb: "picture" | "say" | "words" | "wrong" }>): Passage {
  switch (step.verb) {
    case "picture":
      // The gateway turns a line of this form into an attachment of the reply.
      return said(`The picture ${step.path}:\nMEDIA:${step.path}`);
    case "say":
      return said(step.text);
    case "words":
      return { text: Array.from({ length: step.count }, (_, index) => `word${index + 1}`).join(" "), pace: step.pace };
    case "wrong":
      return said(`Not done: ${step.message}.`);
  }
}

function quotation(call: ToolCall, result: ToolResult): string {
  const tool = call.name === "tool_call" ? String(call.input.id) : call.name;
  const text = result.text.length > QUOTED ? `${result.text.slice(0, QUOTED)}…` : result.text.trimEnd();
  // Fenced, because the gateway obeys some lines of unfenced text (MEDIA:, [embed …]).
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `The tool ${tool} ${result.failed ? "failed" : "answered"}:\n${fence}\n${text}\n${fence}`;
}

function said(text: string): Passage {
  return { text, pace: 0 };
}

/** The label before the first passage, a blank line between the others. A bare tool call carries no text at all. */
function labelled(plan: Extract<Plan, { kind: "message" }>): Plan {
  const passages = plan.passages.map(({ text, pace }, index) => ({
    text: `${index === 0 ? LABEL : "\n\n"}${text}`,
    pace,
  }));
  return { ...plan, passages };
}
