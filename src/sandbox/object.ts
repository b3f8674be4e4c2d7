import { Sandbox } from "@cloudflare/sandbox";
import { deadline, raced } from "../core/deadline.ts";
import { log } from "../core/log.ts";
import { type Reply, reply, unwrap } from "../core/reply.ts";
import type { EgressPolicy } from "./egress.ts";
import { type BucketFolder, FolderMount, type FolderStatus, type MountHost } from "./folder.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import { notReady, type Posted, postToGateway } from "./gateway-post.ts";
import type { BotLifecycle, GatewayStatus, Uptime } from "./lifecycle.ts";
import type { DirectoryEntry, ShellResult } from "./results.ts";
import type { GatewayHost } from "./processes.ts";
import { GatewaySupervisor } from "./supervisor.ts";
import { capReached, UptimeClock, type UptimeLimits } from "./uptime.ts";
import { isInterrupted, NO_SESSION, sandboxFailure } from "./wire.ts";

/** How often the gateway is looked after while the container is up. */
const WATCH_EVERY_S = 5;
/** How long a drain waits for the runs to end. */
const RUNS_END_WITHIN_MS = 5_000;

/**
 * The container's Durable Object: the SDK's Sandbox, and in it the one gateway. Every method of ours answers with a
 * Reply, for the SDK's error codes do not survive the way out of a Durable Object.
 */
export abstract class SandboxObject<Env extends Cloudflare.Env> extends Sandbox<Env> implements BotLifecycle {
  readonly #supervisor: GatewaySupervisor;
  readonly #clock: UptimeClock;
  readonly #folder: FolderMount;
  #awake: Promise<void> | undefined;
  readonly #running = new Set<{ caller: string | undefined; env: Record<string, string> }>();

  constructor(ctx: DurableObjectState<{}>, env: Env) {
    // Not by getSandbox, whose settings arrive after the first call may have begun: that one would speak plain HTTP.
    super(ctx, { ...env, SANDBOX_TRANSPORT: "rpc" });
    // The SDK reads both when it starts the container. With a list nothing may go past the Worker, TLS included.
    const { allow } = this.egress();
    this.enableInternet = allow === undefined;
    this.interceptHttps = allow !== undefined;
    this.#supervisor = new GatewaySupervisor(this.#host(), (tokens) => this.plan(tokens));
    this.#clock = new UptimeClock(ctx.storage);
    this.#folder = new FolderMount(() => this.folder(), this.#mountHost());
  }

  protected abstract plan(tokens: GatewayTokens): GatewayPlan;
  protected abstract egress(): EgressPolicy;
  protected abstract limits(): UptimeLimits;
  /** Where the container has its folder for large files. */
  protected abstract folder(): BucketFolder;
  /** Ends the chats' runs, for the container is about to stop. */
  protected abstract endRuns(): Promise<void>;

  gatewayReady(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.ready", async () => {
      await this.#requireTime();
      return await this.#supervisor.ready();
    });
  }

  gatewayRestart(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.restart", async () => {
      await this.#requireTime();
      return await this.#supervisor.restart();
    });
  }

  override async onStart(): Promise<void> {
    await super.onStart();
    await this.#clock.started(Date.now());
    await this.#lookIn(WATCH_EVERY_S);
  }

  override async onStop(params: Parameters<Sandbox<Env>["onStop"]>[0]): Promise<void> {
    this.#folder.containerGone();
    await this.#clock.stopped(Date.now());
    await super.onStop(params);
  }

  /** The alarm's round. Not activity: it looks over the network, and asks the SDK only where something has to be mended. */
  async lookAfter(): Promise<void> {
    const running = this.ctx.container?.running ?? false;
    await this.#clock.seen(running, Date.now());
    if (!running) return;
    const left = await this.#clock.leftMs(true, Date.now(), this.limits());
    if (left !== undefined && left <= 0) {
      log("warn", "container.cap", { outcome: "reached" });
      // A run that goes on is no reason to go past the cap.
      this.ctx.waitUntil(this.stop());
    } else {
      this.ctx.waitUntil(this.#supervisor.watch(Date.now()));
    }
    await this.#lookIn(Math.min(WATCH_EVERY_S, Math.max(1, (left ?? Infinity) / 1000)));
  }

  /** A command that was started and goes on keeps the container up; a chat's run does so by its open connection. */
  override async onActivityExpired(): Promise<void> {
    const line =
      'if [ "$BASH_VERSION" ]; then . /opt/moltbot/command.sh list; else exec bash /opt/moltbot/command.sh list; fi';
    const listed = this.ctx.container?.running ? await this.shell(line, {}) : undefined;
    if (listed?.ok && listed.value.stdout.split("\n").some((entry) => entry.split(" ")[1] === "running")) return;
    await super.onActivityExpired();
  }

  async #lookIn(seconds: number): Promise<void> {
    this.deleteSchedules("lookAfter");
    await this.schedule(seconds, "lookAfter");
  }

  async #requireTime(): Promise<void> {
    const limits = this.limits();
    const left = await this.#clock.leftMs(this.ctx.container?.running ?? false, Date.now(), limits);
    if (left !== undefined && left <= 0) throw capReached(limits.capHours ?? 0);
  }

  /** Stops the gateway, and leaves it stopped until somebody needs it. */
  gatewayRest(): Promise<Reply<void>> {
    return reply("gateway.rest", () => this.#supervisor.rest());
  }

  /** Before the container goes to sleep the gateway ends in order. */
  override async stop(signal?: Parameters<Sandbox<Env>["stop"]>[0]): Promise<void> {
    const rested = await reply("gateway.drain", () => this.#supervisor.rest(() => this.#endRuns()));
    if (!rested.ok) log("warn", "container.stop", { outcome: rested.failure.code });
    await super.stop(signal);
  }

  async #endRuns(): Promise<void> {
    const patience = deadline(RUNS_END_WITHIN_MS);
    await raced(this.endRuns(), patience.signal).catch((error: unknown) =>
      log("warn", "container.drain", { outcome: "runs did not end", cause: error }),
    );
    patience[Symbol.dispose]();
  }

  gatewayStatus(): Promise<Reply<GatewayStatus>> {
    return reply("gateway.status", () => this.#supervisor.status());
  }

  gatewayStart(): Promise<Reply<GatewayStatus>> {
    return reply("gateway.start", async () => {
      const status = await this.#supervisor.status();
      if (status.phase === "asleep") {
        await this.#requireTime();
        this.ctx.waitUntil(this.#supervisor.ready().catch(() => undefined));
      }
      return status.phase === "asleep" ? await this.#supervisor.status() : status;
    });
  }

  sleep(): Promise<Reply<void>> {
    return reply("container.sleep", () => this.stop());
  }

  gatewayLog(lines: number): Promise<Reply<{ lines: string[]; running: boolean }>> {
    return reply("gateway.log", () => this.#supervisor.log(lines));
  }

  uptime(): Promise<Reply<Uptime>> {
    return reply("container.uptime", () =>
      this.#clock.uptime(this.ctx.container?.running ?? false, Date.now(), this.limits()),
    );
  }

  folderStatus(): Promise<Reply<FolderStatus>> {
    return reply("folder.status", () => this.#folder.status());
  }

  /** Makes the folder one of the container's. */
  protected mountFolder({ binding, path, prefix }: BucketFolder): Promise<void> {
    return this.mountBucket(binding, path, { prefix });
  }

  /**
   * POSTs JSON to a path of the gateway, with its token. Only when it is ready: this starts nothing, and it is no activity
   * that puts off sleep.
   */
  gatewayPost(path: string, body: string): Promise<Reply<Posted>> {
    return reply("gateway.post", async () => {
      const { phase } = await this.#supervisor.status();
      const { container } = this.ctx;
      if (phase !== "ready" || !container?.running) throw notReady(phase);
      const tokens = await this.#supervisor.tokens();
      const { port } = this.plan(tokens);
      return await postToGateway(container.getTcpPort(port), { port, path, token: tokens.gateway }, body);
    });
  }

  /** The present tokens. Not for callers from outside. */
  protected async tokens(): Promise<GatewayTokens> {
    return await this.#supervisor.tokens();
  }

  /** Whether `token` is the one the present gateway was given for the bridge. */
  async bridgeAdmits(token: string): Promise<boolean> {
    // A token that got out is of no use while there is nobody who should use it.
    if (!this.ctx.container?.running) return false;
    const { bridge } = await this.#supervisor.tokens();
    const [shown, wanted] = [new TextEncoder().encode(token), new TextEncoder().encode(bridge)];
    return shown.byteLength === wanted.byteLength && crypto.subtle.timingSafeEqual(shown, wanted);
  }

  /**
   * Runs a shell line in a process of its own; a line that fails has an exit code. `caller` names the request it
   * runs for, for `runningFor`.
   */
  shell(line: string, env: Record<string, string>, caller?: string): Promise<Reply<ShellResult>> {
    return this.#use("sandbox.shell", "Running the command", async () => {
      const running = { caller, env };
      this.#running.add(running);
      try {
        const { exitCode, stdout, stderr } = await this.execWithSessionToken(line, NO_SESSION, { env });
        return { exitCode, stdout, stderr };
      } finally {
        this.#running.delete(running);
      }
    });
  }

  /** The environments of the shell lines that run for this request now. */
  runningFor(caller: string): Record<string, string>[] {
    return [...this.#running].filter((line) => line.caller === caller).map(({ env }) => env);
  }

  /** A file's bytes as a stream, and its size in bytes. */
  openFile(path: string): Promise<Reply<{ content: ReadableStream<Uint8Array>; size: number; mimeType: string }>> {
    return this.#use("sandbox.openFile", `Reading ${path}`, async () => {
      const { content, size, mimeType } = await this.readFile(path, { encoding: "none", sessionId: NO_SESSION });
      return { content, size, mimeType };
    });
  }

  /** Writes the whole file, making its directories. */
  putFile(path: string, content: string, encoding: "utf-8" | "base64"): Promise<Reply<void>> {
    return this.#use("sandbox.putFile", `Writing ${path}`, () => this.#write(path, content, encoding));
  }

  directory(path: string, options: { recursive: boolean; hidden: boolean }): Promise<Reply<DirectoryEntry[]>> {
    return this.#use("sandbox.directory", `Listing ${path}`, async () => {
      const { files } = await this.listFiles(path, {
        recursive: options.recursive,
        includeHidden: options.hidden,
        sessionId: NO_SESSION,
      });
      return files.map((file) => ({
        path: file.absolutePath,
        type: file.type,
        size: file.size,
        modified: file.modifiedAt,
      }));
    });
  }

  /** Uses the container; its errors become Failures that name `what`. */
  #use<T>(operation: string, what: string, work: () => Promise<T>): Promise<Reply<T>> {
    return reply(operation, async () => {
      try {
        if (!this.ctx.container?.running) await this.#requireTime();
        await this.#wake();
        await this.#folder.ensure();
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
      await this.exists("/", NO_SESSION);
    } catch (error) {
      if (!isInterrupted(error)) throw error;
      await this.exists("/", NO_SESSION);
    }
  }

  async #write(path: string, content: string, encoding: "utf-8" | "base64"): Promise<void> {
    const directory = path.slice(0, path.lastIndexOf("/"));
    if (directory !== "") await this.mkdir(directory, { recursive: true, sessionId: NO_SESSION });
    await this.writeFile(path, content, { encoding, sessionId: NO_SESSION });
  }

  #mountHost(): MountHost {
    return {
      storage: this.ctx.storage,
      mount: (folder) => this.mountFolder(folder),
      unmount: (path) => this.unmountBucket(path),
      // Not by `shell`, which waits for the folder.
      succeeds: async (line) => (await this.execWithSessionToken(line, NO_SESSION)).exitCode === 0,
    };
  }

  #host(): GatewayHost {
    const container = () => this.ctx.container;
    return {
      storage: this.ctx.storage,
      running: () => container()?.running ?? false,
      probe: async (port, path, signal) => {
        const running = container();
        if (!running?.running) throw new Error("The container is not running.");
        return await running.getTcpPort(port).fetch(`http://localhost:${port}${path}`, { signal });
      },
      write: async (path, content) => unwrap(await this.putFile(path, content, "utf-8")),
      start: async (command, processId, env) => {
        await this.startProcess(command, { processId, env }, NO_SESSION).catch((error: unknown) => {
          throw sandboxFailure(error, "Starting the gateway");
        });
      },
      process: async (id) => {
        const found = await this.getProcess(id, NO_SESSION);
        if (!found) return undefined;
        return {
          pid: found.pid,
          running: found.status === "running" || found.status === "starting",
          exitCode: found.exitCode,
        };
      },
      logs: async (id) => {
        const { stdout, stderr } = await this.getProcessLogs(id, NO_SESSION);
        return `${stdout}\n${stderr}`;
      },
      shell: async (line, env = {}) => unwrap(await this.shell(line, env)),
    };
  }
}
