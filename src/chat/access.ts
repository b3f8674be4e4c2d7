import { z } from "zod";
import type { Reply } from "../core/reply.ts";
import { APPROVAL_DECISIONS, type ApprovalDecision } from "../gateway/approvals.ts";
import { conversationName, DEFAULT_CONVERSATION } from "./conversation.ts";

/** Characters. The gateway's frame limit is far above; this is a message, not a file. */
export const MESSAGE_CHARS = 200_000;
/** Base64 characters of all attachments together: 10 MB of files. A Durable Object call carries at most 32 MiB. */
export const ATTACHMENT_CHARS = 14_000_000;
export const ATTACHMENTS = 10;

export const chatAttachment = z.object({
  mimeType: z.string().regex(/^[a-z]+\/[a-z0-9.+-]+$/),
  data: z.base64().min(1),
  name: z.string().min(1).max(200).exactOptional(),
});

export const chatMessage = z.object({
  message: z
    .string()
    .max(MESSAGE_CHARS)
    .refine((text) => text.trim() !== "", "must not be empty"),
  conversation: conversationName.default(DEFAULT_CONVERSATION),
  idempotencyKey: z.string().min(1).max(200).optional(),
  /** The program that sends it, for the count of what models cost. */
  client: z.string().max(200).optional(),
  attachments: z
    .array(chatAttachment)
    .max(ATTACHMENTS)
    .default([])
    .refine((all) => all.reduce((sum, { data }) => sum + data.length, 0) <= ATTACHMENT_CHARS, "too large together"),
});
export type ChatMessage = z.input<typeof chatMessage>;

export type RunState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface StartedRun {
  runId: string;
  conversation: string;
  /** Where to follow from to see everything. */
  cursor: number;
}

export interface RunView {
  runId: string;
  conversation: string;
  state: RunState;
  /** The beginning of the message. */
  title: string;
  /** ISO 8601. */
  started: string;
  ended?: string;
}

export interface ConversationView {
  conversation: string;
  title: string;
  /** ISO 8601. */
  lastActivity: string;
  /** Messages and answers. */
  messages: number;
  /** The run that answers in it now. */
  running?: string;
  /** How many messages wait behind it. */
  queued: number;
}

export interface ChatImage {
  mimeType?: string;
  name?: string;
  /** Bytes. */
  size?: number;
}

export interface HistoryMessage {
  role: "user" | "assistant";
  text: string;
  /** ISO 8601. */
  at?: string;
  /** Names of the tools it called. */
  tools: string[];
  images: ChatImage[];
}

export interface HistoryPage {
  conversation: string;
  /** Oldest first. */
  messages: HistoryMessage[];
  /** Pass as `before` for what is older; absent at the beginning. */
  before?: string;
}

export interface CancelledRun {
  runId: string;
  status: "done" | "failed" | "cancelled";
  /** The run had ended before; nothing was stopped. */
  already: boolean;
  text: string;
}

/** How a person can answer. "allow-always" is remembered for this command in this place. */
export const approvalDecision = z.enum(APPROVAL_DECISIONS);

/** Something the bot wants a person to allow. */
export interface AskedApproval {
  id: string;
  of: "exec" | "plugin";
  /** The command. */
  title: string;
  cwd?: string;
  /** What is unusual about it. */
  warnings: string[];
  /** The answers it takes. */
  decisions: string[];
  /** ISO 8601; an answer after it comes too late, and the command is not run. */
  expires?: string;
}

/** Whose turn it is in a conversation. */
export interface TurnOwner {
  principal: string;
  client: string | undefined;
  conversation: string;
}

export interface ChatStatus {
  /** A connection to the gateway is open now. It closes when nothing was said for a while. */
  connected: boolean;
  gatewayVersion?: string;
  running: number;
  queued: number;
}

/**
 * Chats as other folders see them. A run belongs to the principal who started it; every other principal gets the
 * same answer as for a run that never was. Messages to one conversation are answered one after the other.
 */
export interface ChatAccess {
  send(principal: string, message: ChatMessage): Promise<Reply<StartedRun>>;
  /** NDJSON of ChatEvent from the cursor on; ends after the `end` event. Dropping it does not touch the run. */
  follow(principal: string, runId: string, cursor: number): Promise<Reply<ReadableStream<Uint8Array>>>;
  cancel(principal: string, runId: string): Promise<Reply<CancelledRun>>;
  /** Ends every run, whoever's it is, within seconds: the container is about to stop. */
  cancelAll(): Promise<Reply<void>>;
  /** Whether any run goes on or waits. */
  isOpen(): Promise<Reply<boolean>>;
  /** What a run asks before it goes on, oldest first; none when it has ended. */
  approvals(principal: string, runId: string): Promise<Reply<AskedApproval[]>>;
  /** Answers what one of the principal's runs asks. The same answer twice is one. */
  approve(principal: string, id: string, decision: ApprovalDecision): Promise<Reply<{ runId: string }>>;
  conversations(principal: string): Promise<Reply<ConversationView[]>>;
  history(
    principal: string,
    conversation: string,
    query: { limit: number; before?: string },
  ): Promise<Reply<HistoryPage>>;
  runs(principal: string): Promise<Reply<RunView[]>>;
  status(): Promise<Reply<ChatStatus>>;
}
