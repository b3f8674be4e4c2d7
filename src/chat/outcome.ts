import { Failure } from "../core/failure.ts";
import type { ErrorReason } from "../gateway/events.ts";
import type { EndEvent } from "./event.ts";

/** How a run ends, in one place: every reason the gateway or we can have. `text` is what there is of the answer. */

export function done(text: string): EndEvent {
  return { type: "end", status: "done", text };
}

export function cancelled(text: string): EndEvent {
  return { type: "end", status: "cancelled", text };
}

export function failed(text: string, failure: Failure): EndEvent {
  return { type: "end", status: "failed", text, error: failure.view() };
}

/** Messages of a conversation are answered in turn, so when a command to stop has its turn nothing else runs. */
export const NOTHING_TO_STOP = "Nothing was running. To stop a run while it goes on, use chat_cancel.";

const AGAIN = "Send the message again with chat_send.";

export function runTimeout(): Failure {
  return new Failure("timeout", "The bot did not finish in time and was stopped.", {
    hint: "Ask for less at once, or ask it to go on.",
  });
}

export function gatewayRestarted(): Failure {
  return new Failure("unavailable", "The bot's gateway was restarted while it answered.", {
    hint: `What it had said is kept. The bot may take its task up again by itself: look at chat_history first. ${AGAIN}`,
  });
}

export function gatewayForgot(): Failure {
  return new Failure("unavailable", "The connection to the bot was lost and it does not know this run any more.", {
    hint: `See chat_history for what it did. ${AGAIN}`,
  });
}

export function gatewayGone(cause: Failure): Failure {
  return new Failure(cause.code, `The bot could not be reached: ${cause.message}`, { hint: cause.hint ?? AGAIN });
}

/** The gateway tells why a run failed; its text is for people and goes through as it is. */
export function runFailure(reason: ErrorReason, message: string | undefined): Failure {
  const text = message ?? "The bot could not answer.";
  switch (reason) {
    case "timeout":
      return new Failure("timeout", text, { hint: AGAIN });
    case "rate_limit":
      return new Failure("limited", text, {
        hint: "The model provider limits requests; wait a minute, then send again.",
      });
    case "context_length":
      return new Failure("too_large", text, { hint: "Start another conversation, or send /compact in this one." });
    case "refusal":
      return new Failure("upstream", text, { hint: "The model refused; put the request differently." });
    case "unknown":
      return new Failure("upstream", text, { hint: `${AGAIN} If it fails again, see bot_logs.` });
  }
}
