import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { change, look } from "./call.ts";
import { moment } from "./fields.ts";
import { memoryStatus } from "./memory.ts";
import { usageSummary } from "./usage.ts";

const gateway = z.object({
  phase: z.enum(["asleep", "restoring", "starting", "ready", "unresponsive", "draining", "failed"]),
  since: moment.optional(),
  step: z.string().optional(),
  starts: z.number(),
  readySince: moment.optional(),
  reason: z.string().optional(),
});
export type Gateway = z.output<typeof gateway>;
export type Phase = Gateway["phase"];

const uptime = z.object({
  month: z.string(),
  awakeHours: z.number(),
  starts: z.number(),
  usd: z.number(),
  capHours: z.number().optional(),
  sleepAfter: z.string(),
});

const statusSchema = z.object({
  gateway,
  uptime,
  memory: memoryStatus,
  chats: z.object({ running: z.number() }),
  model: z.object({ names: z.array(z.string()), dailyTokens: z.number().optional(), dailyUsd: z.number().optional() }),
  usage: usageSummary,
});
export type Status = z.output<typeof statusSchema>;

/** On its way to another phase: looked at often. */
export const MOVING: readonly Phase[] = ["restoring", "starting", "draining"];

const MOVING_MS = 1_500;
const RESTING_MS = 10_000;

export const status = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => look("status", statusSchema, { signal }),
  // Not while the page is hidden; that is the client's default.
  refetchInterval: ({ state }) => (state.data && MOVING.includes(state.data.gateway.phase) ? MOVING_MS : RESTING_MS),
});

const changed = z.object({ gateway });

export const startBot = () => change("bot/start", {}, changed);
export const sleepBot = () => change("bot/sleep", {}, changed);
export const restartBot = () => change("bot/restart", {}, changed);
