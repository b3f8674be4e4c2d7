import { z } from "zod";
import { raced } from "../../core/deadline.ts";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";

export const botRestart = defineTool({
  name: "bot_restart",
  title: "Restart the Moltbot",
  description:
    "Stops the Moltbot's gateway and starts it again; also tries again after failed starts. Chats in progress end. Memory and files stay. Takes 10 to 60 s.",
  scope: "control",
  effect: "destructive",
  needs: ["bot"],
  input: z.strictObject({}),
  output: z.object({ phase: z.literal("ready") }),
  deadlineMs: 58_000,
  async run(_input, { bot }, { signal, progress }) {
    await progress("Restarting the gateway");
    unwrap(await raced(bot.gatewayRestart(), signal));
    return { data: { phase: "ready" as const }, text: "The Moltbot is ready." };
  },
});
