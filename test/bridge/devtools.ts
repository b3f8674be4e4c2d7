import { once } from "node:events";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";

const answerSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
});
export type Answer = z.output<typeof answerSchema>;

/** A client that says what it likes: a socket to the browser, and one page in a flattened session. */
export interface DevTools {
  /** Of the page. */
  sessionId: string;
  /** Everything that came, oldest first. */
  heard: Answer[];
  /** Sends the text as it is; the answer is the first with the id, or the first without any. */
  send: (text: string, id: number) => Promise<Answer>;
  ask: (method: string, params?: Record<string, unknown>, session?: string) => Promise<Answer>;
  /** What an expression is in the page; fails with what the page threw. */
  evaluate: (expression: string) => Promise<unknown>;
  /** Goes there and waits until it is loaded. */
  goto: (url: string) => Promise<void>;
  close(): void;
}

export async function openDevTools(portUrl: string, pageUrl: string): Promise<DevTools> {
  const socket = new WebSocket(`${portUrl.replace("http", "ws")}/devtools/browser/moltbot`);
  await once(socket, "open");
  const heard: Answer[] = [];
  const listeners = new Set<(answer: Answer) => void>();
  socket.on("message", (data: Buffer) => {
    const answer = answerSchema.parse(JSON.parse(data.toString()));
    heard.push(answer);
    for (const listener of listeners) listener(answer);
  });
  const send: DevTools["send"] = (text, id) =>
    new Promise((resolve) => {
      const listener = (answer: Answer) => {
        if (answer.id !== id && !(answer.id === undefined && answer.error)) return;
        listeners.delete(listener);
        resolve(answer);
      };
      listeners.add(listener);
      socket.send(text);
    });
  let lastId = 0;
  const ask: DevTools["ask"] = (method, params = {}, session) => {
    lastId += 1;
    return send(JSON.stringify({ id: lastId, method, params, ...(session ? { sessionId: session } : {}) }), lastId);
  };
  const { result: opened } = await ask("Target.createTarget", { url: pageUrl });
  const { result: attached } = await ask("Target.attachToTarget", { targetId: opened?.targetId, flatten: true });
  const sessionId = z.string().parse(attached?.sessionId);
  await ask("Page.enable", {}, sessionId);
  const evaluate: DevTools["evaluate"] = async (expression) => {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, error } = await ask("Runtime.evaluate", options, sessionId);
    if (error) throw new Error(error.message);
    return z.object({ value: z.unknown().optional() }).parse(result?.result).value;
  };
  return {
    sessionId,
    heard,
    send,
    ask,
    evaluate,
    async goto(url) {
      await ask("Page.navigate", { url }, sessionId);
      await expect.poll(() => evaluate("document.readyState"), { timeout: 30_000 }).toBe("complete");
    },
    close: () => socket.terminate(),
  };
}
