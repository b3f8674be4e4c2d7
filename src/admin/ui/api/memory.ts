import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { addressOf, change, look } from "./call.ts";
import { moment } from "./fields.ts";

const generation = z.object({
  id: z.string(),
  at: moment,
  reason: z.string(),
  files: z.number(),
  bytes: z.number(),
});
export type Generation = z.output<typeof generation>;

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
export type MemoryStatus = z.output<typeof memoryStatus>;

const listSchema = z.object({ generations: z.array(generation), memory: memoryStatus });

const REFRESH_MS = 15_000;

/** Newest first. */
export const generations = queryOptions({
  queryKey: ["generations"],
  queryFn: ({ signal }) => look("generations", listSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

/** Answers when it is in place, which takes as long as the bot needs to rest. */
export const restoreGeneration = (id: string) => change("generations/restore", { generation: id }, generation);

/** Where a browser gets it as an archive. */
export const archiveOf = (id: string) => addressOf("generations/export", { generation: id });
