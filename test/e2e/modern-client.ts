import { z } from "zod";
import { mcpUrl } from "../../local/client/login.ts";

const messageSchema = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  // Each test knows its own method's shape.
  result: z.record(z.string(), z.any()).optional(),
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown() }).partial().optional(),
  method: z.string().optional(),
});

export interface ModernAnswer {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any
  result: Record<string, any>;
  error?: { code?: number | undefined; message?: string | undefined };
}

export interface ModernOptions {
  /** What the client says it can do. */
  capabilities?: Record<string, unknown>;
  /** Behind /mcp in the address. */
  path?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const VERSION = "2026-07-28";

/** One request of the protocol of 2026, letter by letter: it needs no connection, and nothing is kept between two. */
export function modernClient(bot: { url: string }, token: string) {
  let id = 0;
  return async (method: string, params: Record<string, unknown> = {}, options: ModernOptions = {}) => {
    const { capabilities = {}, path = "", headers = {}, signal } = options;
    const name = params.name ?? params.uri ?? params.taskId;
    id += 1;
    const response = await fetch(`${mcpUrl(bot.url).href}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
        ...(typeof name === "string" ? { "mcp-name": name } : {}),
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id,
        method,
        params: {
          ...params,
          _meta: {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
            "io.modelcontextprotocol/clientCapabilities": capabilities,
          },
        },
      }),
      ...(signal ? { signal } : {}),
    });
    const message = await answerOf(response);
    const answer: ModernAnswer = { status: response.status, headers: response.headers, result: message.result ?? {} };
    return message.error ? { ...answer, error: message.error } : answer;
  };
}

/** The answer is the body, or the last message of a stream. */
async function answerOf(response: Response): Promise<z.output<typeof messageSchema>> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
    return messageSchema.parse(JSON.parse(text));
  const messages = [...text.matchAll(/^data: (.+)$/gm)].map(([, json = ""]) => messageSchema.parse(JSON.parse(json)));
  const answer = messages.find(({ method }) => method === undefined);
  if (answer === undefined) throw new Error("The stream ended without an answer.");
  return answer;
}
