import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { look } from "./call.ts";

const meSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("person"), email: z.string(), terminal: z.boolean().default(false) }),
  z.object({ kind: z.literal("service"), name: z.string(), terminal: z.boolean().default(false) }),
]);

export type Me = z.output<typeof meSchema>;

/** Who is looking. */
export const me = queryOptions({ queryKey: ["me"], queryFn: ({ signal }) => look("me", meSchema, { signal }) });
