import { z } from "zod";
import { FAILURES, type FailureCode } from "../core/failure.ts";

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES);
const failureView = z.object({ code: z.enum(codes), message: z.string(), hint: z.string().exactOptional() });

/** What happens in a run, as stored and as sent; see `chatEvent` for the cursor. */
export const runEvent = z.discriminatedUnion("type", [
  /** More of the answer; with `replace`, all of it so far, in place of what was sent before. */
  z.object({ type: z.literal("text"), text: z.string(), replace: z.literal(true).exactOptional() }),
  z.object({
    type: z.literal("tool"),
    id: z.string(),
    name: z.string(),
    phase: z.enum(["start", "end"]),
    /** One line: the command, the file. */
    detail: z.string().exactOptional(),
    /** At the end only. */
    ok: z.boolean().exactOptional(),
  }),
  /** A picture the bot put into its answer. */
  z.object({ type: z.literal("image"), mimeType: z.string(), data: z.base64(), name: z.string().exactOptional() }),
  /** A file or picture that is not sent along, and why. */
  z.object({ type: z.literal("note"), text: z.string() }),
  /** The bot waits for a person; answered with chat approve. */
  z.object({
    type: z.literal("approval"),
    id: z.string(),
    phase: z.enum(["asked", "answered"]),
    of: z.enum(["exec", "plugin"]),
    /** What it wants to do. */
    title: z.string().exactOptional(),
    /** Where the command would run. */
    cwd: z.string().exactOptional(),
    /** What is unusual about it, in the gateway's words. */
    warnings: z.array(z.string()).exactOptional(),
    /** The answers it takes. */
    decisions: z.array(z.string()).exactOptional(),
    /** Until when it waits, ISO 8601. */
    expires: z.string().exactOptional(),
    /** When answered: one of the decisions, "expired", or "elsewhere" when it was answered unseen. */
    decision: z.string().optional(),
  }),
  z.object({
    type: z.literal("end"),
    status: z.enum(["done", "failed", "cancelled"]),
    /** The whole answer; what there is of it when the run failed or was cancelled. */
    text: z.string(),
    error: failureView.exactOptional(),
    /** The model that answered last, as its owner names it. */
    model: z.string().exactOptional(),
  }),
]);
export type RunEvent = z.infer<typeof runEvent>;
export type ApprovalEvent = Extract<RunEvent, { type: "approval" }>;
export type EndEvent = Extract<RunEvent, { type: "end" }>;

/**
 * The cursor is the position right after the event: text counts its UTF-16 units, everything else counts one.
 * So following from any cursor seen continues exactly there, however the text was cut into events.
 */
export const chatEvent = z.intersection(z.object({ cursor: z.number().int().nonnegative() }), runEvent);
export type ChatEvent = z.infer<typeof chatEvent>;

/** Whether an approval that waits until `expires` has waited in vain. */
export function isOver(expires: string | undefined, now: number): boolean {
  return expires !== undefined && Date.parse(expires) <= now;
}

/** How far an event moves the position. An empty replacement still has to be seen. */
export function extent(event: RunEvent): number {
  return event.type === "text" ? Math.max(1, event.text.length) : 1;
}
