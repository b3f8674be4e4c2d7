import { z } from "zod";

const wordSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("error"), message: z.string(), hint: z.string().optional() }),
  z.object({ type: z.literal("exit"), code: z.number().optional(), signal: z.string().optional() }),
]);

export interface TerminalHandlers {
  /** It takes what is typed from now on. */
  ready(): void;
  /** What the shell writes. */
  output(bytes: Uint8Array): void;
  /** Comes once, in words for the person; nothing comes after it. */
  ended(why: string): void;
}

export interface TerminalLine {
  type: (text: string) => void;
  resize: (size: Size) => void;
  close: () => void;
}

interface Size {
  cols: number;
  rows: number;
}

const encoder = new TextEncoder();

/**
 * The person's shell in the container, which is woken for it; it begins with what was shown last. Bytes both ways;
 * beside them a few words as JSON.
 */
export function openTerminal({ cols, rows }: Size, handlers: TerminalHandlers): TerminalLine {
  const address = new URL(`/admin/terminal?cols=${cols}&rows=${rows}`, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  let isOver = false;
  const end = (why: string) => {
    if (isOver) return;
    isOver = true;
    socket.close();
    handlers.ended(why);
  };
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    if (data instanceof ArrayBuffer) handlers.output(new Uint8Array(data));
    else hear(String(data), handlers, end);
  });
  // A browser does not tell a page why a socket was refused.
  socket.addEventListener("error", () => end("The terminal does not open, or its connection is lost."));
  socket.addEventListener("close", ({ reason }) => end(reason === "" ? "The connection has ended." : reason));
  const send = (message: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(message);
  };
  return {
    type: (text) => send(encoder.encode(text)),
    resize: (size) => send(JSON.stringify({ type: "resize", cols: size.cols, rows: size.rows })),
    close: () => end("Closed."),
  };
}

function hear(text: string, handlers: TerminalHandlers, end: (why: string) => void): void {
  const word = wordSchema.safeParse(parsed(text));
  if (!word.success) return;
  switch (word.data.type) {
    case "ready":
      handlers.ready();
      return;
    case "error":
      end([word.data.message, word.data.hint].filter(Boolean).join(" "));
      return;
    case "exit":
      end(`The shell has ended${word.data.code === undefined ? "" : ` with ${word.data.code}`}.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No word of the protocol; bytes of the shell do not come this way.
    return undefined;
  }
}
