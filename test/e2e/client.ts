import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";
import { login, mcpUrl } from "../../local/client/login.ts";

const resultSchema = z.object({
  content: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({ type: z.literal("image"), data: z.string(), mimeType: z.string() }),
    ]),
  ),
  structuredContent: z.record(z.string(), z.any()).optional(),
  isError: z.boolean().optional(),
});

export interface Answer {
  text: string;
  // Each test knows its own tool's shape; the tool's output schema was checked by the client already.
  // oxlint-disable-next-line typescript/no-explicit-any
  data: Record<string, any>;
  images: { data: string; mimeType: string }[];
  isError: boolean;
}

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (message: string) => void;
}

export interface Session {
  client: Client;
  token: string;
  call(name: string, input?: Record<string, unknown>, options?: CallOptions): Promise<Answer>;
  /** Drops the connection as a client that crashes does. */
  close(): Promise<void>;
}

/** Goes through the whole login once and hands the token to as many clients as a test wants. */
export async function signIn(bot: { url: string; password: string }, scopes?: readonly string[]): Promise<string> {
  const { accessToken } = await login({ ...bot, clientName: "test", ...(scopes ? { scopes } : {}) });
  return accessToken;
}

export async function connect(bot: { url: string }, token: string): Promise<Session> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(mcpUrl(bot.url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return {
    client,
    token,
    async call(name, input = {}, options = {}) {
      const result = resultSchema.parse(
        await client.callTool(
          { name, arguments: input },
          {
            timeout: 90_000,
            ...(options.signal ? { signal: options.signal } : {}),
            ...(options.onProgress ? { onprogress: ({ message }) => options.onProgress?.(message ?? "") } : {}),
          },
        ),
      );
      return {
        text: result.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n"),
        images: result.content.flatMap((block) =>
          block.type === "image" ? [{ data: block.data, mimeType: block.mimeType }] : [],
        ),
        data: result.structuredContent ?? {},
        isError: result.isError ?? false,
      };
    },
    close: () => client.close(),
  };
}
