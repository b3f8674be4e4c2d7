import { z } from "zod";
import type { MemoryStatus } from "../../memory/access.ts";
import { isoTime } from "../memory/fields.ts";

/** What bot_status says of the memory. */
export const memoryOutput = z.object({
  generation: z.string().optional(),
  committed_at: z.string().optional(),
  lag_ms: z.number().optional().describe("How long the oldest change of the last commit had waited for it."),
  files: z.number(),
  bytes: z.number(),
  generations: z.number(),
  stored_bytes: z.number(),
  next_prune: z.string().optional(),
  problem: z.string().optional().describe("Why nothing can be committed."),
  not_kept: z.array(z.object({ path: z.string(), reason: z.string() })),
});

export function memoryData(status: MemoryStatus): z.output<typeof memoryOutput> {
  const { head, lagMs, generations, storedBytes, nextPrune, problem, skipped } = status;
  return {
    ...(head ? { generation: head.id, committed_at: isoTime(head.at) } : {}),
    ...(lagMs === null ? {} : { lag_ms: lagMs }),
    files: head?.files ?? 0,
    bytes: head?.bytes ?? 0,
    generations,
    stored_bytes: storedBytes,
    ...(nextPrune === null ? {} : { next_prune: isoTime(nextPrune) }),
    ...(problem === null ? {} : { problem }),
    not_kept: [...skipped],
  };
}

export function memoryLines(status: MemoryStatus): string[] {
  const { head, lagMs, generations, storedBytes, nextPrune, problem, skipped } = status;
  const lag = lagMs === null ? "" : `, ${lagMs} ms after its oldest change`;
  return [
    head
      ? `Memory: generation ${head.id} of ${isoTime(head.at)}${lag}: ${head.files} files, ${head.bytes} bytes.`
      : "Memory: nothing is kept yet.",
    ...(generations === 0 ? [] : [`${generations} generations in ${storedBytes} bytes.`]),
    ...(nextPrune === null ? [] : [`The next prune is at ${isoTime(nextPrune)}.`]),
    ...(problem === null ? [] : [`The memory cannot be kept: ${problem}`]),
    ...skipped.map(({ path, reason }) => `Not kept: ${path}. ${reason}`),
  ];
}
