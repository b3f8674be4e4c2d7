import { z } from "zod";

export const KINDS = ["note", "conversation"] as const;
export type Kind = (typeof KINDS)[number];

/** A passage that was found. */
export const hitSchema = z.object({
  path: z.string(),
  kind: z.enum(KINDS),
  /** Its first line in the file, from 1. */
  line: z.number(),
  /** When it was said, or the file last changed. ISO 8601. */
  at: z.string(),
  /** A part of it, the words that were looked for between two asterisks each. */
  snippet: z.string(),
  /** Smaller is better. */
  score: z.number(),
});
export type Hit = z.output<typeof hitSchema>;
