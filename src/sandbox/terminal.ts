import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { relay } from "./relay.ts";
import { SERVER_PORT } from "./wire.ts";

/** The host name by which the sandbox's object knows that a request is for a terminal. */
export const TERMINAL_HOST = "terminal.moltbot.internal";

const MOST = 1_000;
const cells = z.coerce.number().int().min(1).max(MOST);

/** What a terminal is opened with. Sizes are in characters. */
export const terminalSize = z.strictObject({ cols: cells.default(80), rows: cells.default(24) });
export type TerminalSize = z.output<typeof terminalSize>;

export interface TerminalEnd {
  /** The opaque id of the person. */
  principal: string;
  /** When it was opened, in milliseconds since 1970. */
  at: number;
  ms: number;
}

/** What the sandbox's object has for it. `used` puts off the container's sleep. */
export interface TerminalDoor {
  /** The container's own server; undefined while no container runs. */
  port: { fetch(request: Request): Promise<Response> } | undefined;
  used: () => void;
  ended: (end: TerminalEnd) => void;
}

/** The request for the object: a person has one terminal, and finds it again as it was left. */
export function terminalRequest(principal: string, { cols, rows }: TerminalSize): Request {
  const query = new URLSearchParams({ principal, cols: String(cols), rows: String(rows) });
  return new Request(`http://${TERMINAL_HOST}/?${query.toString()}`, { headers: { upgrade: "websocket" } });
}

const wanted = z.object({ principal: z.string().min(1), cols: cells, rows: cells });

/**
 * A shell in the container, as the container's server speaks it: binary both ways is what is typed and shown; text is
 * JSON. What a person types keeps the container up; a terminal that is only open, or that something goes on in, does not.
 */
export async function openTerminal(request: Request, { port, used, ended }: TerminalDoor): Promise<Response> {
  const { principal, cols, rows } = wanted.parse(Object.fromEntries(new URL(request.url).searchParams));
  if (port === undefined) throw absent();
  const query = new URLSearchParams({ sessionId: `terminal-${principal}`, cols: String(cols), rows: String(rows) });
  const asked = new Request(`http://localhost:${SERVER_PORT}/ws/pty?${query.toString()}`, {
    headers: { upgrade: "websocket" },
  });
  const answer = await port.fetch(asked).catch((cause: unknown) => {
    throw absent(cause);
  });
  if (!answer.webSocket) {
    await answer.body?.cancel();
    throw absent(`status ${answer.status}`);
  }
  const { 0: browser, 1: person } = new WebSocketPair();
  const at = Date.now();
  relay({
    person,
    container: answer.webSocket,
    fromPerson(frame) {
      // A page that is only open may say its size, too.
      if (typeof frame !== "string") used();
      return frame;
    },
    fromContainer: () => undefined,
    onEnd: () => ended({ principal, at, ms: Date.now() - at }),
  });
  return new Response(null, { status: 101, webSocket: browser });
}

function absent(cause?: unknown): Failure {
  return new Failure("unavailable", "The sandbox has no terminal to give just now.", {
    hint: "Try again in a moment; the overview shows whether the Moltbot is up.",
    cause,
  });
}
