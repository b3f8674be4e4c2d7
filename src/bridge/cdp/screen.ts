import { z } from "zod";

/** What becomes of a message from a client to the browser. */
export type Screened =
  | { type: "pass"; message: string }
  /** Not for the browser: the client is answered this. */
  | { type: "answer"; message: string }
  /** As answered; and this client's connection ends, for it believes that the browser does. */
  | { type: "end"; message: string };

/** `Browser.close` of one client would end the browser of all. */
const CLOSE = "Browser.close";

const closeSchema = z.object({ id: z.number(), method: z.literal(CLOSE), sessionId: z.string().optional() });
/** How it is said in a session that is not flattened. */
const wrappedSchema = z.object({
  id: z.number(),
  method: z.literal("Target.sendMessageToTarget"),
  params: z.object({ message: z.string() }),
  sessionId: z.string().optional(),
});

/** All that is changed in a pipe: a client that closes the browser closes its own connection. */
export function keepOpen(message: string): Screened {
  // A courtesy between clients of one bot and no barrier: looking at the text is enough to skip the parsing of the rest.
  if (!message.includes(CLOSE)) return { type: "pass", message };
  const close = closeIn(parsed(message));
  if (close === undefined) return { type: "pass", message };
  const { id, sessionId } = close;
  return { type: "end", message: JSON.stringify({ id, result: {}, ...(sessionId ? { sessionId } : {}) }) };
}

/** The message that closes the browser, if it is one. */
function closeIn(message: unknown): { id: number; sessionId?: string | undefined } | undefined {
  const wrapped = wrappedSchema.safeParse(message).data;
  if (wrapped === undefined) return closeSchema.safeParse(message).data;
  return closeIn(parsed(wrapped.params.message)) && wrapped;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
