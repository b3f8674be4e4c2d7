import { z } from "zod";
import { moment } from "./fields.ts";

const generation = z.object({
  id: z.string(),
  at: moment,
  reason: z.string(),
  files: z.number(),
  bytes: z.number(),
});

export const memoryStatus = z.object({
  /** Null before the first one. */
  head: generation.nullable(),
  /** How long the oldest change of the last commit had waited for it. Milliseconds. */
  lagMs: z.number().nullable(),
  generations: z.number(),
  storedBytes: z.number(),
  nextPrune: moment.nullable(),
  problem: z.string().nullable(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});
