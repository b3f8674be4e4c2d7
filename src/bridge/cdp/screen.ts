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

/** All that is changed in a pipe: a client that closes the browser closes its own connection. */
export function keepOpen(message: string): Screened {
  // A courtesy between clients of one bot and no barrier: looking at the text is enough to skip the parsing of the rest.
  if (!message.includes(CLOSE)) return { type: "pass", message };
  const close = closeSchema.safeParse(parsed(message));
  if (!close.success) return { type: "pass", message };
  const { id, sessionId } = close.data;
  return { type: "end", message: JSON.stringify({ id, result: {}, ...(sessionId ? { sessionId } : {}) }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
