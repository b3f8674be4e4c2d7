import { z } from "zod";

/** Relative paths are the workspace's, as the bot itself sees them. */
export const filePath = z
  .string()
  .min(1, "must not be empty")
  .max(4096, "is too long")
  .refine((text) => !text.includes("\0"), "must not contain a NUL character")
  .transform((text) => (text.startsWith("/") ? text : `/workspace/${text}`))
  .describe("A path in the sandbox. A relative one is under /workspace.");
