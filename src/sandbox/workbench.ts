import type { Sandbox } from "@cloudflare/sandbox";
import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { Activity } from "./activity.ts";
import type { DirectoryEntry, ShellResult } from "./results.ts";
import { isInterrupted, NO_SESSION, sandboxFailure } from "./wire.ts";

/** A container that does not answer a look by then does not answer. */
const LOOK_WITHIN_MS = 10_000;

type Sdk = Pick<
  Sandbox,
  | "execWithSessionToken"
  | "exists"
  | "readFile"
  | "writeFile"
  | "mkdir"
  | "listFiles"
  | "startProcess"
  | "getProcess"
  | "getProcessLogs"
>;

export interface WorkbenchOptions {
  activity: Activity;
  running(): boolean;
  /** Before the container is started; throws when it may not be. */
  admit(): Promise<void>;
  /** Before the container is used; it runs by then. */
  prepare(): Promise<void>;
}

/** Commands, files and processes in the container, by the SDK's calls. Throws Failure. */
export class Workbench {
  readonly #sdk: Sdk;
  readonly #options: WorkbenchOptions;
  readonly #lines = new Set<{ caller: string | undefined; env: Record<string, string> }>();
  #awake: Promise<void> | undefined;

  constructor(sdk: Sdk, options: WorkbenchOptions) {
    this.#sdk = sdk;
    this.#options = options;
  }

  /** Runs a shell line in a process of its own; a line that fails has an exit code. */
  shell(line: string, env: Record<string, string>, caller?: string): Promise<ShellResult> {
    return this.#use("Running the command", async () => {
      const running = { caller, env };
      this.#lines.add(running);
      try {
        const { exitCode, stdout, stderr } = await this.#sdk.execWithSessionToken(line, NO_SESSION, { env });
        return { exitCode, stdout, stderr };
      } finally {
        this.#lines.delete(running);
      }
    });
  }

  /** The environments of the shell lines that run for this request now. */
  runningFor(caller: string): Record<string, string>[] {
    return [...this.#lines].filter((line) => line.caller === caller).map(({ env }) => env);
  }

  open(path: string): Promise<{ content: ReadableStream<Uint8Array>; size: number; mimeType: string }> {
    return this.#use(`Reading ${path}`, async () => {
      const { content, size, mimeType } = await this.#sdk.readFile(path, { encoding: "none", sessionId: NO_SESSION });
      return { content, size, mimeType };
    });
  }

  write(path: string, content: string, encoding: "utf-8" | "base64"): Promise<void> {
    return this.#use(`Writing ${path}`, async () => {
      const directory = path.slice(0, path.lastIndexOf("/"));
      if (directory !== "") await this.#sdk.mkdir(directory, { recursive: true, sessionId: NO_SESSION });
      await this.#sdk.writeFile(path, content, { encoding, sessionId: NO_SESSION });
    });
  }

  list(path: string, options: { recursive: boolean; hidden: boolean }): Promise<DirectoryEntry[]> {
    return this.#use(`Listing ${path}`, async () => {
      const { recursive, hidden } = options;
      const { files } = await this.#sdk.listFiles(path, { recursive, includeHidden: hidden, sessionId: NO_SESSION });
      return files.map((file) => ({
        path: file.absolutePath,
        type: file.type,
        size: file.size,
        modified: file.modifiedAt,
      }));
    });
  }

  start(command: string, processId: string, env: Record<string, string>): Promise<void> {
    return this.#use("Starting the gateway", async () => {
      await this.#sdk.startProcess(command, { processId, env }, NO_SESSION);
    });
  }

  /** As `shell`, but for a look: only in a container that runs, and neither use nor waited for for long. */
  peek(line: string): Promise<ShellResult> {
    return this.#look("Looking into the container", async () => {
      const { exitCode, stdout, stderr } = await this.#sdk.execWithSessionToken(line, NO_SESSION);
      return { exitCode, stdout, stderr };
    });
  }

  process(
    id: string,
  ): Promise<{ pid: number | undefined; running: boolean; exitCode: number | undefined } | undefined> {
    return this.#look("Looking for a process", async () => {
      const found = await this.#sdk.getProcess(id, NO_SESSION);
      if (!found) return undefined;
      const running = found.status === "running" || found.status === "starting";
      return { pid: found.pid, running, exitCode: found.exitCode };
    });
  }

  output(id: string): Promise<string> {
    return this.#look("Reading a log", async () => {
      const { stdout, stderr } = await this.#sdk.getProcessLogs(id, NO_SESSION);
      return `${stdout}\n${stderr}`;
    });
  }

  /** The next call meets another container. */
  containerGone(): void {
    this.#awake = undefined;
  }

  /** Its errors become Failures that name `what`. */
  async #use<T>(what: string, work: () => Promise<T>): Promise<T> {
    return await this.#options.activity.use(async () => {
      try {
        if (!this.#options.running()) await this.#options.admit();
        await this.#wake();
        await this.#options.prepare();
        return await work();
      } catch (error) {
        throw sandboxFailure(error, what);
      }
    });
  }

  async #look<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!this.#options.running()) throw new Failure("unavailable", "The sandbox does not run.");
    using patience = deadline(LOOK_WITHIN_MS);
    try {
      return await this.#options.activity.look(() => raced(work(), patience.signal));
    } catch (error) {
      throw sandboxFailure(error, what);
    }
  }

  /** The first call of this object may find that the container is another one than before: it is one that does nothing. */
  #wake(): Promise<void> {
    this.#awake ??= this.#knock().catch((error: unknown) => {
      this.#awake = undefined;
      throw error;
    });
    return this.#awake;
  }

  async #knock(): Promise<void> {
    try {
      await this.#sdk.exists("/", NO_SESSION);
    } catch (error) {
      if (!isInterrupted(error)) throw error;
      await this.#sdk.exists("/", NO_SESSION);
    }
  }
}
