import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { z } from "zod";

/** Somebody who writes to the bot. */
export interface Sender {
  id: number;
  first_name: string;
  username?: string;
}

export interface TelegramStandIn {
  url: string;
  /** `from` sends the bot a direct message. */
  write(from: Sender, text: string): void;
  /** What the bot has said to somebody, oldest first. */
  said(to: number): string[];
  /** The methods that were called. */
  called: Set<string>;
  close(): Promise<void>;
}

const LONGEST_POLL_MS = 1_000;

const pollSchema = z.object({ offset: z.coerce.number().default(0) });
const messageSchema = z.object({ chat_id: z.coerce.number(), text: z.string() });

/** Telegram's Bot API on loopback, as far as a bot needs it that polls for direct messages and answers them. */
export async function startTelegram(token: string): Promise<TelegramStandIn> {
  const updates: { update_id: number; message: unknown }[] = [];
  const sent: { to: number; text: string }[] = [];
  const called = new Set<string>();
  const bot = { id: 1234, is_bot: true, first_name: "Moltbot", username: "moltbot_test_bot" };

  async function result(method: string, input: unknown): Promise<unknown> {
    switch (method.toLowerCase()) {
      case "getme":
        return { ...bot, can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false };
      case "getupdates": {
        const { offset } = pollSchema.parse(input);
        const due = () => updates.filter(({ update_id }) => update_id >= offset);
        for (const end = Date.now() + LONGEST_POLL_MS; due().length === 0 && Date.now() < end;) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return due();
      }
      case "sendmessage": {
        const { chat_id: to, text } = messageSchema.parse(input);
        sent.push({ to, text });
        return { message_id: 1_000 + sent.length, date: seconds(), chat: { id: to, type: "private" }, from: bot, text };
      }
      case "getwebhookinfo":
        return { url: "", has_custom_certificate: false, pending_update_count: 0 };
      case "getmycommands":
        return [];
      default:
        return true;
    }
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const [, shown, method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(pathname) ?? [];
    if (shown === undefined || decodeURIComponent(shown) !== token) {
      return { status: 401, body: { ok: false, error_code: 401, description: "Unauthorized" } };
    }
    called.add(method);
    const text = Buffer.concat(chunks).toString();
    const type = request.headers["content-type"] ?? "";
    const body: unknown = type.includes("json")
      ? JSON.parse(text || "{}")
      : Object.fromEntries(new URLSearchParams(text));
    const input = { ...Object.fromEntries(searchParams), ...Object(body) };
    return { status: 200, body: { ok: true, result: await result(method, input) } };
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      () => response.destroy(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    called,
    write(from, text) {
      const chat = { id: from.id, type: "private", first_name: from.first_name, username: from.username };
      const message = { message_id: updates.length + 1, date: seconds(), chat, from: { is_bot: false, ...from }, text };
      updates.push({ update_id: updates.length + 1, message });
    },
    said: (to) => sent.filter((each) => each.to === to).map(({ text }) => text),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
