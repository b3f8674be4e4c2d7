import type { ChatLimits } from "../../src/chat/limits.ts";
import { helloOk, scriptedGateway } from "../gateway/scripted-gateway.ts";
import { type ChatStack, chatStack } from "./stack.ts";

const open: { close(): unknown }[] = [];

/** For `afterEach`. */
export async function closeScripted(): Promise<void> {
  for (const item of open.splice(0)) await item.close();
}

export interface Asked {
  method: string;
  runId: string;
  session: string;
  params: Record<string, unknown>;
  /** How often the client has connected. */
  connects: number;
  answer: (payload: unknown) => void;
  refuse: (code: string, message: string, details?: unknown) => void;
  chat: (state: string, about?: Record<string, unknown>) => void;
  raw: (text: string) => void;
  drop: () => void;
}

/** A chat over a gateway that answers by script, one call at a time. */
export async function scripted(script: (asked: Asked) => void, limits: Partial<ChatLimits> = {}): Promise<ChatStack> {
  let connects = 0;
  let runId = "";
  let session = "";
  const gateway = await scriptedGateway(({ id, method, params }, { send, socket }) => {
    if (method === "connect") {
      connects += 1;
      send(helloOk(id));
      return;
    }
    const asked = Object(params);
    if (method === "chat.send") [runId, session] = [asked.idempotencyKey, asked.sessionKey];
    script({
      method,
      runId,
      session,
      params: asked,
      connects,
      answer: (payload) => send({ type: "res", id, ok: true, payload }),
      refuse: (code, why, details) => send({ type: "res", id, ok: false, error: { code, message: why, details } }),
      chat: (state, about = {}) =>
        send({ type: "event", event: "chat", payload: { runId, sessionKey: session, seq: 1, state, ...about } }),
      raw: (text) => send(text),
      drop: () => socket.terminate(),
    });
  });
  const chat = await chatStack(gateway, { retryMs: [0, 50, 50], ...limits });
  open.push(chat, gateway);
  return chat;
}

export function message(text: string) {
  return { message: { role: "assistant", content: [{ type: "text", text }] } };
}
