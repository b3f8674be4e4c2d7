import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { type HistoryEntry, readHistory } from "../gateway/chat.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { HistoryMessage, HistoryPage } from "./access.ts";

/** "offset.seq": where the gateway goes on, and the oldest entry seen, for what was added since moves the offset. */
const page = z
  .string()
  .regex(/^\d{1,9}\.\d{1,12}$/)
  .transform((text) => text.split(".").map(Number))
  .pipe(z.tuple([z.number(), z.number()]));

export async function historyPage(
  connection: GatewayConnection,
  about: { session: string; conversation: string },
  query: { limit: number; before?: string | undefined },
): Promise<HistoryPage> {
  const [offset, seen] = query.before === undefined ? [0, Infinity] : readCursor(query.before);
  const { entries, older } = await readHistory(connection, { session: about.session, limit: query.limit, offset });
  const unseen = entries.filter((entry) => (entry.seq ?? 0) < seen);
  const oldest = Math.min(seen, ...unseen.map((entry) => entry.seq ?? seen));
  return {
    conversation: about.conversation,
    messages: unseen.flatMap(render),
    ...(older === undefined ? {} : { before: `${older}.${Number.isFinite(oldest) ? oldest : 0}` }),
  };
}

function readCursor(text: string): [number, number] {
  const read = page.safeParse(text);
  if (read.success) return read.data;
  throw new Failure("invalid_input", "That is not a place in a history.", {
    hint: "Pass `before` as the page before gave it, or leave it out for the newest messages.",
  });
}

function render(entry: HistoryEntry): HistoryMessage[] {
  const { role, text = "", tools, images, at } = entry;
  if (role !== "user" && role !== "assistant") return [];
  if (text === "" && tools.length === 0 && images.length === 0) return [];
  return [
    {
      role,
      text,
      ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
      tools,
      images: images.map(({ mimeType, name, size }) => ({
        ...(mimeType === undefined ? {} : { mimeType }),
        ...(name === undefined ? {} : { name }),
        ...(size === undefined ? {} : { size }),
      })),
    },
  ];
}
