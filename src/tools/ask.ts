import { z } from "zod";

/** One thing to ask of the client, as the protocol words it. */
export interface Ask {
  method: string;
  params?: Record<string, unknown>;
}

/**
 * What a tool answers with when it needs its person: the call ends here. The client asks, and calls again with the same
 * arguments; then `call.resumed` holds the answers and the state. Only for clients that can: see `call.canAsk`.
 */
export interface Question {
  ask: Record<string, Ask>;
  /**
   * What the tool needs to go on, as JSON: it travels through the client, readable, but signed and good for this person,
   * client, tool and arguments for ten minutes. May come more than once.
   */
  state?: unknown;
}

/** What a client brings back. */
export interface Resumed {
  answers: Record<string, unknown>;
  /** As the question had it; parse it. */
  state: unknown;
}

/** Asks a person to fill in a form of a few plain fields. */
export function elicitation(message: string, form: z.ZodObject): Ask {
  const { type, properties, required } = formSchema.parse(z.toJSONSchema(form));
  return {
    method: "elicitation/create",
    params: { mode: "form", message, requestedSchema: { type, properties, ...(required ? { required } : {}) } },
  };
}

/** What the person did: filled in the form, said no, or closed it. Undefined: nothing that fits the form came back. */
export function answerTo<Form extends z.ZodObject>(
  resumed: Resumed | undefined,
  key: string,
  form: Form,
): { action: "accept"; content: z.output<Form> } | { action: "decline" | "cancel" } | undefined {
  const answer = answerSchema.safeParse(resumed?.answers[key]);
  if (!answer.success) return undefined;
  const { action, content } = answer.data;
  if (action !== "accept") return { action };
  const filled = form.safeParse(content);
  return filled.success ? { action, content: filled.data } : undefined;
}

const formSchema = z.object({
  type: z.literal("object"),
  properties: z.record(z.string(), z.json()),
  required: z.array(z.string()).optional(),
});

const answerSchema = z.object({ action: z.enum(["accept", "decline", "cancel"]), content: z.unknown().optional() });
