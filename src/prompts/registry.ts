import { briefMe } from "./brief-me.ts";
import { catchUp } from "./catch-up.ts";
import { handOver } from "./hand-over.ts";
import type { AnyPrompt } from "./prompt.ts";

/** Every prompt, in the order clients see them. */
export const PROMPTS: readonly AnyPrompt[] = [briefMe, handOver, catchUp];
