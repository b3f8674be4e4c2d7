import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import { COMMAND_PROCESS_LIMIT, DEFAULT_DIRECTORY } from "./shell.ts";

/** Terminals at once. Each is a shell and what runs in it. */
const MOST_TERMINALS = 8;
/** What a client that comes back is shown of what was said before. */
const BACKLOG_BYTES = 64 * 1024;
/** A client that does not read makes its terminal wait. */
const MOST_WAITING_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 20;

export interface Size {
  cols: number;
  rows: number;
}

interface Terminal {
  clients: Set<WebSocket>;
  backlog: Buffer;
  input: Writable;
  /** /dev/pts/…, once the shell runs. */
  device: Promise<string>;
}

/**
 * The terminals of this container, one for each session, as the real server keeps them: a shell on a pseudo-terminal that
 * outlives its connections. Binary both ways is what is typed and shown; text is JSON: `resize` from the client, and
 * `ready`, `error` and `exit` to it. Node has no pseudo-terminals: util-linux's `script` makes them, and `stty` sizes them.
 */
export class Terminals {
  readonly #terminals = new Map<string, Terminal>();

  connect(socket: WebSocket, id: string, size: Size): void {
    const known = this.#terminals.get(id);
    if (known === undefined && this.#terminals.size >= MOST_TERMINALS) {
      tell(socket, { type: "error", message: "There are too many terminals already." });
      return socket.close(1013, "Too many terminals");
    }
    const terminal = known ?? this.#open(id, size);
    if (terminal.backlog.byteLength > 0) socket.send(terminal.backlog);
    terminal.clients.add(socket);
    socket.on("message", (data, isBinary) => {
      if (!Buffer.isBuffer(data)) return;
      if (!isBinary) return obey(terminal, data.toString("utf8"));
      if (terminal.input.write(data)) return;
      socket.pause();
      terminal.input.once("drain", () => socket.resume());
    });
    socket.on("close", () => terminal.clients.delete(socket));
    socket.on("error", () => socket.terminate());
    tell(socket, { type: "ready" });
    if (known !== undefined) void resize(terminal, size);
  }

  #open(id: string, { cols, rows }: Size): Terminal {
    // The third descriptor is where the shell says which terminal it has; then it is closed.
    const line = `tty >&3; exec 3>&-; stty cols ${cols} rows ${rows}; exec /bin/bash -i`;
    const limit = `--nproc=${COMMAND_PROCESS_LIMIT}:${COMMAND_PROCESS_LIMIT}`;
    const script = ["/usr/bin/script", "--quiet", "--flush", "--return", "--echo", "always", "--command", line];
    const child = spawn("/usr/bin/prlimit", [limit, "--", ...script, "/dev/null"], {
      cwd: DEFAULT_DIRECTORY,
      env: { ...process.env, SHELL: "/bin/bash", TERM: "xterm-256color" },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pipe of a child has both ends' types.
    const third = child.stdio[3] as Readable;
    const terminal: Terminal = {
      clients: new Set(),
      backlog: Buffer.alloc(0),
      input: child.stdin,
      // Not until its end: script has it open as long as the shell runs.
      device: once(third, "data").then(([name]) => String(name).trim()),
    };
    // A shell that never comes up has none, and nobody waits for it.
    terminal.device.catch(() => undefined);
    this.#terminals.set(id, terminal);
    child.stdin.on("error", () => undefined);
    for (const output of [child.stdout, child.stderr])
      output.on("data", (data: Buffer) => show(terminal, output, data));
    const end = (code: number, why?: string) => {
      if (this.#terminals.get(id) !== terminal) return;
      this.#terminals.delete(id);
      for (const socket of terminal.clients) {
        tell(socket, why === undefined ? { type: "exit", code } : { type: "error", message: why });
        socket.close(1000, "The shell has ended");
      }
    };
    child.once("close", (code) => end(code ?? 1));
    child.once("error", (error) => end(127, `The terminal cannot be started: ${error.message}`));
    return terminal;
  }
}

function show(terminal: Terminal, output: Readable, data: Buffer): void {
  terminal.backlog = Buffer.concat([terminal.backlog, data]).subarray(-BACKLOG_BYTES);
  for (const socket of terminal.clients) socket.send(data);
  const wait = () => {
    if ([...terminal.clients].some(({ bufferedAmount }) => bufferedAmount > MOST_WAITING_BYTES)) {
      output.pause();
      setTimeout(wait, LOOK_AGAIN_MS);
    } else {
      output.resume();
    }
  };
  wait();
}

function obey(terminal: Terminal, message: string): void {
  const size = sizeIn(message);
  if (size) void resize(terminal, size);
}

/** The kernel tells whatever runs in the foreground. */
async function resize(terminal: Terminal, { cols, rows }: Size): Promise<void> {
  const device = await terminal.device.catch(() => "");
  if (!device.startsWith("/dev/pts/")) return;
  const arguments_ = ["-F", device, "cols", String(cols), "rows", String(rows)];
  spawn("/usr/bin/stty", arguments_, { stdio: "ignore" }).on("error", () => undefined);
}

function sizeIn(message: string): Size | undefined {
  try {
    const { type, cols, rows }: Record<string, unknown> = JSON.parse(message);
    return type === "resize" ? sizeOf(cols, rows) : undefined;
  } catch {
    // Nothing that a terminal understands.
    return undefined;
  }
}

/** A size that a terminal can have. */
export function sizeOf(cols: unknown, rows: unknown): Size | undefined {
  const size = { cols: Number(cols), rows: Number(rows) };
  return Object.values(size).every((n) => Number.isInteger(n) && n > 0 && n <= 1000) ? size : undefined;
}

function tell(socket: WebSocket, message: Record<string, unknown>): void {
  socket.send(JSON.stringify(message));
}
