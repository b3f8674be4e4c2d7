import type { FailureView } from "../../core/failure.ts";
import type { UsageEntry } from "../../usage/access.ts";

/** Keeps count of what models cost. */
export interface Ledger {
  /** Throws Failure("limited") when the day's cap is reached. */
  admit(now: number): Promise<void>;
  record(entry: UsageEntry): Promise<void>;
}

/** Whoever asks on whose behalf: the running turn of a conversation. */
export interface TurnOwner {
  principal: string;
  client: string | undefined;
  conversation: string;
}

/** The chats, as far as the bridge tells them what their turns cannot know. */
export interface Turns {
  /** The model that answers the turn of this conversation; answers whose turn that is, if there is one. */
  answered(session: string, model: string): Promise<TurnOwner | undefined>;
  /** No model answers, and why: the gateway would say it in words of its own. */
  failed(session: string, failure: FailureView): Promise<TurnOwner | undefined>;
}
