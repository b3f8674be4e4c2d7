import { z } from "zod";
import { generationSchema } from "../../memory/format.ts";

export const generationField = generationSchema
  .optional()
  .describe("A generation as memory_generations names it. Default: the present one.");

export const pathField = z
  .string()
  .min(1, "must not be empty")
  .max(2_048, "is too long")
  .describe("A path such as workspace/MEMORY.md or conversations/…. Without one of these roots it is the workspace's.");

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
