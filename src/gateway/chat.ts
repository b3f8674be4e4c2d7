import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { GatewayConnection, RequestOptions } from "./connection.ts";
import { readContent, type Content } from "./content.ts";

/** The calls of a conversation. Each is one request; each throws Failure. */

export interface OutgoingAttachment {
  mimeType: string;
  /** Base64. */
  data: string;
  name?: string | undefined;
}

export interface OutgoingMessage {
  session: string;
  message: string;
  /** Names the run from now on; the same one again never makes a second run while the gateway remembers it. */
  runId: string;
  attachments: OutgoingAttachment[];
}

const sent = z.union([
  z.object({ runId: z.string() }),
  // The gateway takes "/stop" and its like for a command to stop what runs, which starts nothing.
  z.object({ aborted: z.boolean() }),
]);

/** "started": the answer comes as events. "stop": the message was a command to stop, and has been carried out. */
export async function sendMessage(
  connection: GatewayConnection,
  message: OutgoingMessage,
  options: RequestOptions = {},
): Promise<"started" | "stop"> {
  const answer = await connection.request(
    "chat.send",
    {
      sessionKey: message.session,
      message: message.message,
      idempotencyKey: message.runId,
      ...(message.attachments.length > 0 ? { attachments: message.attachments.map(attachment) } : {}),
    },
    sent,
    options,
  );
  if ("aborted" in answer) return "stop";
  if (answer.runId !== message.runId) {
    throw new Failure("upstream", "The gateway started a run under another id than it was given.");
  }
  return "started";
}

function attachment({ mimeType, data, name }: OutgoingAttachment): Record<string, unknown> {
  return {
    type: mimeType.startsWith("image/") ? "image" : "file",
    mimeType,
    content: data,
    ...(name === undefined ? {} : { fileName: name }),
  };
}

const aborted = z.object({ aborted: z.boolean() });

/** Whether there was something to stop. What the bot had said until then stays in the conversation. */
export async function abortRun(
  connection: GatewayConnection,
  run: { session: string; runId: string },
  options: RequestOptions = {},
): Promise<boolean> {
  const params = { sessionKey: run.session, runId: run.runId };
  return (await connection.request("chat.abort", params, aborted, options)).aborted;
}

const entry = z.object({
  role: z.string(),
  timestamp: z.number().optional(),
  stopReason: z.string().optional(),
  /** What the bot said on the way to a tool call is shown as a message of its own, marked by this. */
  openclawStreamFallback: z.unknown().optional(),
  openclawAbort: z.object({ aborted: z.literal(true) }).optional(),
  idempotencyKey: z.string().optional(),
  __openclaw: z.object({ runId: z.string().optional(), seq: z.number().optional() }).optional(),
});
const pendingInput = z.object({ state: z.string(), runId: z.string().optional() });
const historyAnswer = z.object({
  messages: z.array(z.unknown()),
  hasMore: z.boolean().catch(false),
  nextOffset: z.number().optional(),
  inFlightRun: z.object({ runId: z.string(), text: z.string().catch("") }).optional(),
  sessionInfo: z
    .object({ hasActiveRun: z.boolean().nullish(), activeRunIds: z.array(z.string()).nullish() })
    .optional(),
  pendingInputs: z.object({ items: z.array(pendingInput) }).optional(),
});

export interface HistoryEntry extends Content {
  role: string;
  /** Unix ms. */
  at: number | undefined;
  /** The run that wrote it; for the message that started a run, that run. */
  runId: string | undefined;
  /** Position in the conversation, rising. */
  seq: number | undefined;
  /** The bot had more to do after it: a step towards a tool call, not the answer. */
  step: boolean;
  cancelled: boolean;
}

export interface History {
  /** Oldest first. */
  entries: HistoryEntry[];
  /** To pass as `offset` for what is older; absent when there is nothing. */
  older: number | undefined;
  /** The run in progress that the gateway shows to clients, with its text so far. */
  inFlight: { runId: string; text: string } | undefined;
  activeRunIds: string[];
  /** Something goes on in the conversation, possibly nothing of the above. */
  busy: boolean;
  /** Runs whose message was taken but has not reached the bot. */
  waiting: string[];
}

export async function readHistory(
  connection: GatewayConnection,
  query: { session: string; limit: number; offset?: number },
  options: RequestOptions = {},
): Promise<History> {
  const params = { sessionKey: query.session, limit: query.limit, offset: query.offset, maxChars: 100_000 };
  const answer = await connection.request("chat.history", params, historyAnswer, options);
  return {
    entries: answer.messages.flatMap(historyEntry),
    older: answer.hasMore ? (answer.nextOffset ?? (query.offset ?? 0) + answer.messages.length) : undefined,
    inFlight: answer.inFlightRun,
    activeRunIds: answer.sessionInfo?.activeRunIds ?? [],
    busy: answer.inFlightRun !== undefined || answer.sessionInfo?.hasActiveRun === true,
    waiting: (answer.pendingInputs?.items ?? []).flatMap(({ state, runId }) =>
      state === "queued" && runId !== undefined ? [runId] : [],
    ),
  };
}

function historyEntry(value: unknown): HistoryEntry[] {
  const read = entry.safeParse(value);
  if (!read.success) return [];
  const { role, timestamp, stopReason, openclawAbort, idempotencyKey } = read.data;
  const { __openclaw: meta, openclawStreamFallback: commentary } = read.data;
  return [
    {
      ...readContent(value),
      role,
      at: timestamp,
      runId: meta?.runId ?? idempotencyKey?.replace(/:(user|assistant)$/, ""),
      seq: meta?.seq,
      step: stopReason === "toolUse" || commentary !== undefined,
      cancelled: openclawAbort !== undefined,
    },
  ];
}
