import { z } from "zod";
import { readContent } from "./content.ts";
import { parse } from "./protocol.ts";

/** What the gateway tells about runs, in our words. `session` is the full key ("agent:main:…"). */
export type GatewayEvent =
  /** `whole` is all visible text of the run so far: missing one event loses nothing. */
  | { kind: "text"; runId: string; session: string; whole: string }
  /** `yielded`: the bot waits for others it set to work; what it says then comes under another run. */
  | { kind: "final"; runId: string; session: string; text: string | undefined; media: boolean; yielded: boolean }
  | { kind: "aborted"; runId: string; session: string; text: string | undefined; reason: string | undefined }
  | { kind: "error"; runId: string; session: string; reason: ErrorReason; message: string | undefined }
  | { kind: "tool"; runId: string; id: string; name: string; phase: "start" | "end"; detail: string; ok: boolean }
  /** The run attaches these files (paths or URLs) to its answer; they become artifacts some moments after its end. */
  | { kind: "media"; runId: string; files: string[] }
  | {
      kind: "approval";
      id: string;
      of: "exec" | "plugin";
      session: string | undefined;
      title: string;
      cwd: string | undefined;
      /** What is unusual about the command. */
      warnings: string[];
      /** Answers it takes; undefined when it does not say. */
      decisions: string[] | undefined;
      /** Unix ms. */
      expires: number | undefined;
    }
  | { kind: "approval_end"; id: string; decision: string | undefined };

export type ErrorReason = "refusal" | "timeout" | "rate_limit" | "context_length" | "unknown";

const base = { runId: z.string(), sessionKey: z.string() };
const message = z.unknown().optional();
const chat = z.discriminatedUnion("state", [
  z.object({ ...base, state: z.literal("status") }),
  z.object({ ...base, state: z.literal("delta"), deltaText: z.string(), message }),
  z.object({ ...base, state: z.literal("final"), message, yielded: z.literal(true).optional() }),
  z.object({ ...base, state: z.literal("aborted"), message, stopReason: z.string().optional() }),
  z.object({
    ...base,
    state: z.literal("error"),
    message,
    errorMessage: z.string().optional(),
    errorKind: z.enum(["refusal", "timeout", "rate_limit", "context_length", "unknown"]).catch("unknown"),
  }),
]);

const agent = z.object({ runId: z.string(), stream: z.string(), data: z.unknown() });
const media = z.object({ mediaUrls: z.array(z.string()).min(1) });
const tool = z.object({
  kind: z.literal("tool"),
  toolCallId: z.string(),
  name: z.string(),
  phase: z.enum(["start", "end"]),
  title: z.string().catch(""),
  status: z.string().optional(),
});

export const approvalRequest = z.object({
  id: z.string(),
  request: z.object({
    command: z.string().nullish(),
    title: z.string().nullish(),
    cwd: z.string().nullish(),
    warningText: z.string().nullish(),
    commandAnalysis: z.object({ warningLines: z.array(z.string()).catch([]) }).nullish(),
    allowedDecisions: z.array(z.string()).optional(),
    sessionKey: z.string().nullish(),
  }),
  expiresAtMs: z.number().optional(),
});
const resolved = z.object({ id: z.string(), decision: z.string().nullish() });

/** One of ours, or undefined for an event that means nothing to a chat. Throws Failure("upstream") when a known one is malformed. */
export function readEvent(event: string, payload: unknown): GatewayEvent | undefined {
  switch (event) {
    case "chat":
      return readChat(payload);
    case "agent":
      return readAgent(payload);
    case "exec.approval.requested":
    case "plugin.approval.requested": {
      const asked = parse(approvalRequest, payload, "an approval request");
      return approvalAsked(event === "exec.approval.requested" ? "exec" : "plugin", asked);
    }
    case "exec.approval.resolved":
    case "plugin.approval.resolved": {
      const { id, decision } = parse(resolved, payload, "an approval outcome");
      return { kind: "approval_end", id, decision: decision ?? undefined };
    }
  }
  return undefined;
}

export function approvalAsked(
  of: "exec" | "plugin",
  { id, request, expiresAtMs }: z.output<typeof approvalRequest>,
): Extract<GatewayEvent, { kind: "approval" }> {
  const { warningText, commandAnalysis } = request;
  return {
    kind: "approval",
    id,
    of,
    session: request.sessionKey ?? undefined,
    title: request.command ?? request.title ?? "",
    cwd: request.cwd ?? undefined,
    warnings: [...(warningText ? [warningText] : []), ...(commandAnalysis?.warningLines ?? [])],
    decisions: request.allowedDecisions,
    expires: expiresAtMs,
  };
}

function readChat(payload: unknown): GatewayEvent | undefined {
  const event = parse(chat, payload, "a chat event");
  const about = { runId: event.runId, session: event.sessionKey };
  switch (event.state) {
    case "status":
      return undefined;
    case "delta":
      return { ...about, kind: "text", whole: readContent(event.message).text ?? event.deltaText };
    case "final": {
      const content = readContent(event.message);
      const pictured = content.images.length > 0;
      return { ...about, kind: "final", text: content.text, media: pictured, yielded: event.yielded === true };
    }
    case "aborted":
      return { ...about, kind: "aborted", text: readContent(event.message).text, reason: event.stopReason };
    case "error":
      return { ...about, kind: "error", reason: event.errorKind, message: event.errorMessage };
  }
}

function readAgent(payload: unknown): GatewayEvent | undefined {
  const { runId, stream, data } = parse(agent, payload, "an agent event");
  if (stream === "assistant") {
    const attached = media.safeParse(data);
    return attached.success ? { kind: "media", runId, files: attached.data.mediaUrls } : undefined;
  }
  // "item" events reach every connection, "tool" events only the one that sent the message: after a reconnect that is not us.
  if (stream !== "item") return undefined;
  const item = tool.safeParse(data);
  // "tool_call" is how tools are called that are not offered directly; the tool it calls has events of its own.
  if (!item.success || item.data.name === "tool_call") return undefined;
  const { toolCallId, name, phase, title, status } = item.data;
  return { kind: "tool", runId, id: toolCallId, name, phase, detail: title, ok: status === "completed" };
}
