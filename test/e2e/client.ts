import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect } from "vitest";
import { z } from "zod";
import { login, mcpUrl } from "../../local/client/login.ts";

const resultSchema = z.object({
  content: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({ type: z.literal("image"), data: z.string(), mimeType: z.string() }),
      z.object({ type: z.literal("resource_link"), uri: z.string() }),
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
  /** Addresses of what is too long for a result. */
  links: string[];
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
  /** Sends a message and follows its run to the end, however many calls a busy machine makes of it. */
  chat(message: string, input?: Record<string, unknown>, options?: CallOptions): Promise<Answer>;
  /** Follows a run to its end; the answer is that of the whole run. */
  finish(runId: string, cursor?: number, options?: CallOptions): Promise<Answer>;
  /** Waits until a run has said something, so that there is a text to keep when it is stopped. */
  speaks(runId: string): Promise<void>;
  /** Restarts the gateway and waits until it is ready. */
  restart(): Promise<void>;
  /** Drops the connection as a client that crashes does. */
  close(): Promise<void>;
}

/** Goes through the whole login once and hands the token to as many clients as a test wants. */
export async function signIn(
  bot: { url: string; email?: string; password: string },
  scopes?: readonly string[],
): Promise<string> {
  const { accessToken } = await login({ ...bot, clientName: "test", ...(scopes ? { scopes } : {}) });
  return accessToken;
}

/** `part` goes behind the endpoint's address: a choice of tools. */
export async function connect(bot: { url: string }, token: string, part = ""): Promise<Session> {
  return await sessionOf(new Client({ name: "test", version: "1.0.0" }), bot, token, part);
}

/** A client whose person answers what tools ask, of the protocol's revision that can be asked in the middle of a call. */
export async function connectAsked(
  bot: { url: string },
  token: string,
  person: (message: string) => { action: "accept"; content: Record<string, string> } | { action: "decline" | "cancel" },
): Promise<Session> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: "auto" } },
  );
  client.setRequestHandler("elicitation/create", ({ params }) => person(params.message));
  return await sessionOf(client, bot, token);
}

async function sessionOf(client: Client, bot: { url: string }, token: string, part = ""): Promise<Session> {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl(bot.url).href + part), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  const session: Session = {
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
        links: result.content.flatMap((block) => (block.type === "resource_link" ? [block.uri] : [])),
        data: result.structuredContent ?? {},
        isError: result.isError ?? false,
      };
    },
    async chat(message, input = {}, options = {}) {
      const sent = await session.call("chat_send", { message, ...input }, options);
      return sent.data.status === "running" ? session.finish(sent.data.run_id, sent.data.cursor, options) : sent;
    },
    async finish(runId, cursor = 0, options = {}) {
      for (let turn = 0, at = cursor; turn < 20; turn++) {
        const { data } = await session.call("chat_wait", { run_id: runId, cursor: at, wait_seconds: 20 }, options);
        if (data.status !== "running") return session.call("chat_wait", { run_id: runId });
        at = data.cursor;
      }
      throw new Error(`The run ${runId} did not end.`);
    },
    async speaks(runId) {
      const partial = async () =>
        (await session.call("chat_wait", { run_id: runId, wait_seconds: 1 })).data.partial?.length;
      await expect.poll(partial, { timeout: 90_000 }).toBeGreaterThan(10);
    },
    async restart() {
      const { isError, text } = await session.call("bot_restart");
      const phase = async () => (await session.call("bot_status")).data.phase;
      // On a busy machine the call may end before the gateway is there; what counts is that it comes.
      await expect.poll(phase, { timeout: 120_000, interval: 500, message: isError ? text : "" }).toBe("ready");
    },
    close: () => client.close(),
  };
  return session;
}
