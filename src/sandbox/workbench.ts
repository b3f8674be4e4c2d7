import type { Sandbox } from "@cloudflare/sandbox";
import type { Activity } from "./activity.ts";
import type { DirectoryEntry, ShellResult } from "./results.ts";
import { isInterrupted, NO_SESSION, sandboxFailure } from "./wire.ts";

type Sdk = Pick<
  Sandbox,
  "execWithSessionToken" | "exists" | "readFile" | "writeFile" | "mkdir" | "listFiles" | "startProcess"
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
