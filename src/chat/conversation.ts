import { z } from "zod";
import { sha256 } from "../core/digest.ts";

export const DEFAULT_CONVERSATION = "main";

/** Lower case only: the gateway does not promise to keep two names apart that differ in case. */
export const conversationName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
  );

const TITLE = 60;

/** The gateway's key for a principal's conversation. The principal goes in as a digest: it may be an e-mail address. */
export async function sessionKey(principal: string, conversation: string): Promise<string> {
  return `agent:main:mcp:${await ownerMark(principal)}:${conversation}`;
}

/** What stands for the principal in the keys of their conversations. */
export async function ownerMark(principal: string): Promise<string> {
  return (await sha256(principal)).slice(0, 24);
}

export function titleOf(message: string): string {
  const line = message.trim().split("\n", 1)[0]?.trim() ?? "";
  return line.length > TITLE ? `${line.slice(0, TITLE - 1)}…` : line;
}
