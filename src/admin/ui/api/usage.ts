import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { look } from "./call.ts";

export const usageTotal = z.object({
  calls: z.number(),
  failed: z.number(),
  input: z.number(),
  cached: z.number(),
  output: z.number(),
  usd: z.number(),
  /** Calls whose cost is not in `usd`. */
  unpriced: z.number(),
  firstWordMs: z.number(),
  ms: z.number(),
});
export type UsageTotal = z.output<typeof usageTotal>;

/** Days are of UTC: "2026-11-23". */
export const usageSummary = z.object({
  from: z.string(),
  to: z.string(),
  total: usageTotal,
  days: z.array(usageTotal.extend({ day: z.string() })),
  models: z.array(usageTotal.extend({ model: z.string() })),
  clients: z.array(usageTotal.extend({ client: z.string() })),
  conversations: z.array(usageTotal.extend({ principal: z.string(), conversation: z.string() })),
});
export type UsageSummary = z.output<typeof usageSummary>;

const REFRESH_MS = 30_000;

export const usage = (days: number) =>
  queryOptions({
    queryKey: ["usage", days],
    queryFn: ({ signal }) => look("usage", usageSummary, { query: { days }, signal }),
    refetchInterval: REFRESH_MS,
  });
