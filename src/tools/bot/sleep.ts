import { z } from "zod";
import { raced } from "../../core/deadline.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

export const botSleep = defineTool({
  name: "bot_sleep",
  title: "Put the Moltbot to sleep",
  description:
    "Ends the chats and commands in progress, keeps the last changes of its memory, and stops the container, which costs nothing then. The next chat, command or file wakes it.",
  scope: "control",
  effect: "destructive",
  idempotent: true,
  needs: ["bot"],
  input: z.strictObject({}),
  output: z.object({ phase: z.literal("asleep") }),
  deadlineMs: 58_000,
  async run(_input, { bot }, { signal, progress }) {
    await progress("Keeping the last changes and stopping the container");
    unwrap(await raced(bot.sleep(), signal));
    return { data: { phase: "asleep" as const }, text: "The Moltbot is asleep; the next chat wakes it." };
  },
});
