import { z } from "zod";
import { pause } from "../core/deadline.ts";
import { log } from "../core/log.ts";
import { unwrap } from "../core/reply.ts";
import { NOTHING } from "./input.ts";
import { type Asked, route } from "./route.ts";

const MOST_LINES = 2_000;
/** Nothing has to be stopped or started to know that a restart may not be. */
const REFUSED_WITHIN_MS = 500;

/** How the bot is, and its sleep, start and log. */
export const BOT_ROUTES = [
  route({ method: "GET", path: "status", input: NOTHING, run: (_input, asked) => status(asked) }),
  route({
    method: "GET",
    path: "log",
    input: z.strictObject({ lines: z.coerce.number().int().min(1).max(MOST_LINES).default(200) }),
    run: async ({ lines }, { admin }) => unwrap(await admin.looking.gatewayLog(lines)),
  }),
  route({
    method: "POST",
    path: "bot/start",
    input: NOTHING,
    run: async (_input, { admin }) => ({ gateway: unwrap(await admin.bot.gatewayStart()) }),
  }),
  route({
    method: "POST",
    path: "bot/sleep",
    input: NOTHING,
    async run(_input, { admin }) {
      unwrap(await admin.bot.sleep());
      return { gateway: unwrap(await admin.looking.gatewayStatus()) };
    },
  }),
  route({
    method: "POST",
    path: "bot/restart",
    input: NOTHING,
    async run(_input, { admin }) {
      // It takes up to a minute; how it goes on and ends is in the status. One that is not even begun is said at once.
      const restarted = admin.bot.gatewayRestart().then(unwrap);
      admin.waitUntil(restarted.catch((cause: unknown) => log("warn", "admin.restart", { cause })));
      await Promise.race([restarted, pause(REFUSED_WITHIN_MS)]);
      // Calls of one object arrive in order: this one finds the restart begun.
      return { gateway: unwrap(await admin.looking.gatewayStatus()) };
    },
  }),
];

async function status({ admin }: Asked) {
  const { looking, chat, memory, usage, model } = admin;
  const [gateway, uptime, chats, kept, today] = await Promise.all([
    looking.gatewayStatus().then(unwrap),
    looking.uptime().then(unwrap),
    chat.status().then(unwrap),
    memory.status().then(unwrap),
    usage.summary(1).then(unwrap),
  ]);
  const { dailyTokens, dailyUsd } = model.caps;
  return {
    gateway,
    uptime,
    memory: kept,
    chats: { running: chats.running },
    model: { names: model.names, dailyTokens, dailyUsd },
    usage: today,
  };
}
