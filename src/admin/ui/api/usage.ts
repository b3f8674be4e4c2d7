import { z } from "zod";

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

export const usageSummary = z.object({
  from: z.string(),
  to: z.string(),
  total: usageTotal,
});
