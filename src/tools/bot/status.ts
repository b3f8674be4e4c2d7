import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import type { GatewayStatus, Uptime } from "../../sandbox/lifecycle.ts";
import type { UsageTotal } from "../../usage/access.ts";
import { defineTool } from "../tool.ts";
import { memoryData, memoryLines, memoryOutput } from "./memory-status.ts";

const counted = {
  calls: z.number(),
  failed: z.number(),
  input_tokens: z.number(),
  cached_tokens: z.number().describe("The part of the input that the provider had in a cache."),
  output_tokens: z.number(),
  usd: z.number().describe("An estimate by list prices."),
  calls_without_price: z.number(),
  first_word_ms: z.number().describe("On average."),
  total_ms: z.number().describe("On average."),
};

export const botStatus = defineTool({
  name: "bot_status",
  title: "Status of the Moltbot",
  description:
    "Whether the Moltbot is asleep, starting, ready, unresponsive, going to sleep or failed (with the reason), its models and what they cost today (UTC), the chats in progress, and how its memory is kept. Does not wake it.",
  scope: "chat",
  effect: "read",
  idempotent: true,
  needs: ["bot", "chat", "memory", "model", "usage"],
  input: z.strictObject({}),
  output: z.object({
    phase: z.enum(["asleep", "restoring", "starting", "ready", "unresponsive", "draining", "failed"]),
    since: z.string().optional().describe("Since when it is in this phase."),
    step: z.string().optional().describe("What is being done just now."),
    starts: z.number(),
    ready_since: z.string().optional(),
    reason: z.string().optional(),
    problem: z.string().optional().describe("What is wrong although it runs."),
    model: z.string(),
    fallbacks: z.array(z.string()).describe("Asked in this order when the model fails."),
    usage_today: z.object({
      ...counted,
      cap_tokens: z.number().optional(),
      cap_usd: z.number().optional(),
      models: z.array(z.object({ model: z.string(), ...counted })),
      conversations: z.array(z.object({ conversation: z.string(), ...counted })).describe("Yours only."),
    }),
    running_chats: z.number(),
    uptime: z.object({
      month: z.string().describe("In UTC."),
      awake_hours: z.number(),
      starts: z.number().describe("Of the container, in this month."),
      usd: z.number().describe("An estimate by list prices."),
      cap_hours: z.number().optional(),
      sleep_after: z.string(),
    }),
    memory: memoryOutput,
    files: z
      .object({ path: z.string(), problem: z.string().optional().describe("Why it is not there.") })
      .describe("The folder for large files, as it was when the container was last started."),
  }),
  deadlineMs: 15_000,
  async run(_input, { bot, chat, memory, model, usage }, { principal }) {
    const [gateway, up, chats, today, kept, files] = await Promise.all([
      bot.gatewayStatus().then(unwrap),
      bot.uptime().then(unwrap),
      chat.status().then(unwrap),
      usage.summary(1).then(unwrap),
      memory.status().then(unwrap),
      bot.folderStatus().then(unwrap),
    ]);
    const [name = "", ...fallbacks] = model.names;
    const { dailyTokens, dailyUsd } = model.caps;
    const { phase, starts, readySince, reason, problem, since, step } = gateway;
    return {
      data: {
        phase,
        ...(since ? { since } : {}),
        ...(step ? { step } : {}),
        starts,
        ...(readySince ? { ready_since: readySince } : {}),
        ...(reason ? { reason } : {}),
        ...(problem ? { problem } : {}),
        model: name,
        fallbacks,
        usage_today: {
          ...count(today.total),
          ...(dailyTokens === undefined ? {} : { cap_tokens: dailyTokens }),
          ...(dailyUsd === undefined ? {} : { cap_usd: dailyUsd }),
          models: today.models.map((each) => ({ model: each.model, ...count(each) })),
          conversations: today.conversations
            .filter((each) => each.principal === principal)
            .map((each) => ({ conversation: each.conversation, ...count(each) })),
        },
        running_chats: chats.running,
        uptime: {
          month: up.month,
          awake_hours: up.awakeHours,
          starts: up.starts,
          usd: up.usd,
          ...(up.capHours === undefined ? {} : { cap_hours: up.capHours }),
          sleep_after: up.sleepAfter,
        },
        memory: memoryData(kept),
        files,
      },
      text: [
        sentence(phase, readySince ?? since),
        step ?? "",
        reason ?? "",
        problem ?? "",
        `Model: ${[name, ...fallbacks].join(", then ")}. Chats in progress: ${chats.running}.`,
        `Today: ${said(today.total)}${capsText(model.caps)}.`,
        uptimeText(up),
        ...memoryLines(kept),
        files.problem ?? "",
      ]
        .filter((line) => line !== "")
        .join("\n"),
    };
  },
});

function count({ calls, failed, input, cached, output, usd, unpriced, firstWordMs, ms }: UsageTotal) {
  return {
    calls,
    failed,
    input_tokens: input,
    cached_tokens: cached,
    output_tokens: output,
    usd: Math.round(usd * 10_000) / 10_000,
    calls_without_price: unpriced,
    first_word_ms: firstWordMs,
    total_ms: ms,
  };
}

function said({ calls, failed, input, output, usd, unpriced }: UsageTotal): string {
  const failures = failed > 0 ? `, ${failed} of them failed` : "";
  const unknown = unpriced > 0 ? `, without ${unpriced} calls whose price is not known` : "";
  return `${calls} model calls${failures}, ${input + output} tokens, about $${usd.toFixed(2)}${unknown}`;
}

function capsText({
  dailyTokens,
  dailyUsd,
}: {
  dailyTokens: number | undefined;
  dailyUsd: number | undefined;
}): string {
  const caps = [
    dailyTokens === undefined ? undefined : `${dailyTokens} tokens`,
    dailyUsd === undefined ? undefined : `$${dailyUsd.toFixed(2)}`,
  ].filter((cap) => cap !== undefined);
  return caps.length > 0 ? `; the cap is ${caps.join(" and ")}` : "";
}

function uptimeText({ month, awakeHours, starts, usd, capHours, sleepAfter }: Uptime): string {
  const cap = capHours === undefined ? "" : `; the cap is ${capHours} hours`;
  const sleeps = sleepAfter === "never" ? "It never sleeps by itself" : `It sleeps after ${sleepAfter} without use`;
  return `In ${month} it was up for ${awakeHours.toFixed(2)} hours (${starts} starts), about $${usd.toFixed(2)}${cap}. ${sleeps}.`;
}

function sentence(phase: GatewayStatus["phase"], at: string | undefined): string {
  const since = at === undefined ? "" : ` since ${at}`;
  switch (phase) {
    case "asleep":
      return "Asleep; the next chat wakes it.";
    case "unresponsive":
      return "It runs but does not answer: it may be busy for a moment. A chat waits for it; bot_wake starts it anew when it goes on so, bot_restart at once.";
    case "ready":
      return `Ready${since}.`;
    case "restoring":
    case "starting":
      return `Starting${since}. A chat waits for it; so does bot_wake.`;
    case "draining":
      return `Going to sleep${since}, its last changes being kept. The next chat wakes it again.`;
    case "failed":
      return `It does not start${since}, and does not try any more. Mend the reason below, which bot_logs tells more of, then call bot_restart.`;
  }
}
