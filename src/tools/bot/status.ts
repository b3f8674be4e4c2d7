import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

export const botStatus = defineTool({
  name: "bot_status",
  title: "Status of the Moltbot",
  description:
    "Whether the Moltbot is asleep, starting, ready or failed (with the reason), its model, and the chats in progress. Does not wake it.",
  scope: "chat",
  effect: "read",
  idempotent: true,
  needs: ["bot", "chat", "model"],
  input: z.strictObject({}),
  output: z.object({
    phase: z.enum(["asleep", "starting", "ready", "failed"]),
    starts: z.number(),
    ready_since: z.string().optional(),
    reason: z.string().optional(),
    model: z.string(),
    running_chats: z.number(),
  }),
  deadlineMs: 15_000,
  async run(_input, { bot, chat, model }) {
    const [gateway, chats] = await Promise.all([bot.gatewayStatus().then(unwrap), chat.status().then(unwrap)]);
    const { phase, starts, readySince, reason } = gateway;
    return {
      data: {
        phase,
        starts,
        ...(readySince ? { ready_since: readySince } : {}),
        ...(reason ? { reason } : {}),
        model: model.id,
        running_chats: chats.running,
      },
      text: [
        phase === "asleep"
          ? "Asleep; the next chat wakes it."
          : `The Moltbot is ${phase}${readySince ? ` since ${readySince}` : ""}.`,
        reason ?? "",
        `Model: ${model.id}. Chats in progress: ${chats.running}.`,
      ]
        .filter((line) => line !== "")
        .join("\n"),
    };
  },
});
