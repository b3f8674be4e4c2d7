import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { failure } from "./failure.ts";
import { DEFAULT_DIRECTORY, shellQuote, type Environment } from "./shell.ts";

/** What the SDK sends in place of a session id when a call is to have no session. */
const NO_SESSION = "__DISABLE_SESSION__";

/** The working directory and environment a shell command starts from. */
export interface Place {
  cwd: string;
  env: Environment;
}

interface Session extends Place {
  /** Commands of one session run one after another. */
  queue: Promise<unknown>;
}

/**
 * The named sessions. A session is not one long-lived shell as in the real server: each command is a fresh shell that
 * starts from the working directory and exported variables its predecessor left. Shell functions, aliases and options
 * are therefore not kept; in return `exit` ends a command, never the session.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  create(id: string, place: { cwd?: string | undefined; env?: Environment | undefined }): void {
    if (id.trim() === "" || id === NO_SESSION) throw failure("VALIDATION_FAILED", "A session needs an id");
    if (this.#sessions.has(id)) {
      throw failure("SESSION_ALREADY_EXISTS", `Session '${id}' already exists`, {
        sessionId: id,
        containerPlacementId: null,
      });
    }
    this.#sessions.set(id, { cwd: place.cwd ?? DEFAULT_DIRECTORY, env: { ...place.env }, queue: Promise.resolve() });
  }

  delete(id: string): void {
    if (!this.#sessions.delete(id)) {
      throw failure("SESSION_DESTROYED", `Session '${id}' does not exist`, { sessionId: id });
    }
  }

  list(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Where a command or a relative path of this session starts. Without a session: /workspace and nothing more. */
  place(id: string | undefined): Place {
    const { cwd, env } = this.#find(id) ?? { cwd: DEFAULT_DIRECTORY, env: {} };
    return { cwd, env: { ...env } };
  }

  /** An absolute path, relative ones taken from the session's working directory. */
  path(path: string, id: string | undefined): string {
    if (path === "" || path.includes("\0") || path.length > 4096) {
      throw failure("VALIDATION_FAILED", `Invalid path format for '${path.slice(0, 100)}'`, {
        validationErrors: [{ field: "path", message: "Not a usable path", code: "INVALID_PATH" }],
      });
    }
    return resolve(this.place(id).cwd, path);
  }

  /**
   * Runs `run` with the place of the session, after the session's earlier commands; at once when there is no session.
   * `run` gets a shell command that does what `command` does and leaves its place behind.
   */
  async run<T>(
    command: string,
    id: string | undefined,
    run: (command: string, place: Place) => Promise<T>,
  ): Promise<T> {
    const session = this.#find(id);
    if (session === undefined) return run(command, this.place(id));
    const turn = session.queue.then(async () => {
      const directory = await mkdtemp("/tmp/.session-");
      const file = join(directory, "place");
      try {
        const result = await run(leavingItsPlace(command, file), { cwd: session.cwd, env: { ...session.env } });
        await adopt(session, file);
        return result;
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
    session.queue = turn.catch(() => undefined);
    return turn;
  }

  #find(id: string | undefined): Session | undefined {
    if (id === undefined || id === "" || id === NO_SESSION) return undefined;
    const existing = this.#sessions.get(id);
    if (existing !== undefined) return existing;
    // The real server makes a session the first time it is named.
    this.create(id, {});
    return this.#sessions.get(id);
  }
}

/** Saves directory and environment when the shell ends. `eval` keeps the command's own quoting and line numbers. */
function leavingItsPlace(command: string, file: string): string {
  return `trap '{ printf "%s\\0" "$PWD"; env -0; } > ${file}' EXIT; eval ${shellQuote(command)}`;
}

/** A command that replaced the shell (`exec`) or was killed left nothing: the session stays as it was. */
async function adopt(session: Session, file: string): Promise<void> {
  const left = await readFile(file, "utf8").catch(() => "");
  const [cwd, ...variables] = left.split("\0").filter((entry) => entry !== "");
  if (cwd === undefined || variables.length === 0) return;
  session.cwd = cwd;
  const kept = new Map(variables.map((entry) => split(entry)));
  // A variable that was unset must go although the server's own environment has it.
  session.env = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  for (const [name, value] of kept) if (name !== "_" && name !== "SHLVL") session.env[name] = value;
}

function split(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}
