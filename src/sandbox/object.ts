import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { type Reply, reply } from "../core/reply.ts";
import { shellLine } from "../core/shell.ts";
import { ContainerObject } from "./container-object.ts";
import type { FolderStatus } from "./folder.ts";
import type { GatewayPlan, GatewayTokens } from "./gateway-plan.ts";
import { notReady, type Posted, postToGateway } from "./gateway-post.ts";
import type { BotLifecycle, GatewayStatus, Uptime } from "./lifecycle.ts";
import type { GatewayHost } from "./processes.ts";
import type { DirectoryEntry, ShellResult } from "./results.ts";
import { GatewaySupervisor } from "./supervisor.ts";

/** How long an end in order waits for the runs to end. */
const RUNS_END_WITHIN_MS = 5_000;
/** Measured at 4 to 8 s; nobody waits for it. */
const WARM_WITHIN_MS = 120_000;
/**
 * The container's Durable Object: the SDK's Sandbox, and in it the one gateway. Every method of ours answers with a
 * Reply, for the SDK's error codes do not survive the way out of a Durable Object.
 */
export abstract class SandboxObject<Env extends Cloudflare.Env> extends ContainerObject<Env> implements BotLifecycle {
  readonly #supervisor = new GatewaySupervisor(this.#host(), (tokens) => this.plan(tokens));

  protected abstract plan(tokens: GatewayTokens): GatewayPlan;
  /** Ends the chats' runs, for the container is about to stop. */
  protected abstract endRuns(): Promise<void>;
  /** What a gateway that has come up is asked, so that its first answer comes sooner; undefined when that is asked for already. */
  protected abstract warmUp(): Promise<{ path: string; body: string } | undefined>;

  gatewayReady(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.ready", async () => {
      await this.requireTime();
      return await this.activity.use(() => this.#supervisor.ready());
    });
  }

  gatewayRestart(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.restart", async () => {
      await this.requireTime();
      return await this.activity.use(() => this.#supervisor.restart());
    });
  }

  /** Stops the gateway, and leaves it stopped until somebody needs it. */
  gatewayRest(): Promise<Reply<void>> {
    return reply("gateway.rest", () => this.#supervisor.end());
  }

  gatewayStatus(): Promise<Reply<GatewayStatus>> {
    return reply("gateway.status", () => this.#supervisor.status());
  }

  gatewayStart(): Promise<Reply<GatewayStatus>> {
    return reply("gateway.start", async () => {
      const status = await this.#supervisor.status();
      if (status.phase === "ready" || status.phase === "failed" || this.#supervisor.moving) return status;
      await this.requireTime();
      const starting = this.activity.use(() => this.#supervisor.ready());
      this.ctx.waitUntil(starting.catch(() => undefined));
      return await this.#supervisor.status();
    });
  }

  sleep(): Promise<Reply<void>> {
    return reply("container.sleep", async () => {
      await this.stop();
      if (this.isUp && !this.#supervisor.moving) {
        throw new Failure("upstream", "The container does not stop.", { hint: "Try again in a minute." });
      }
    });
  }

  gatewayLog(lines: number): Promise<Reply<{ lines: string[]; running: boolean }>> {
    return reply("gateway.log", () => this.#supervisor.log(lines));
  }

  uptime(): Promise<Reply<Uptime>> {
    return reply("container.uptime", () => this.clock.uptime(this.isUp, Date.now(), this.limits()));
  }

  folderStatus(): Promise<Reply<FolderStatus>> {
    return reply("folder.status", () => this.mounted.status());
  }

  /**
   * POSTs JSON to a path of the gateway, with its token. Only when it is ready: this starts nothing, and it is no activity
   * that puts off sleep.
   */
  gatewayPost(path: string, body: string): Promise<Reply<Posted>> {
    return reply("gateway.post", async () => {
      const { phase } = await this.#supervisor.status();
      if (phase !== "ready") throw notReady(phase);
      return await this.#post(path, body);
    });
  }

  /** The present tokens. Not for callers from outside. */
  protected async tokens(): Promise<GatewayTokens> {
    return await this.#supervisor.tokens();
  }

  /** Whether `token` is the one the present gateway was given for the bridge. */
  async bridgeAdmits(token: string): Promise<boolean> {
    // A token that got out is of no use while there is nobody who should use it.
    if (!this.isUp) return false;
    const { bridge } = await this.#supervisor.tokens();
    const [shown, wanted] = [new TextEncoder().encode(token), new TextEncoder().encode(bridge)];
    return shown.byteLength === wanted.byteLength && crypto.subtle.timingSafeEqual(shown, wanted);
  }

  /** `caller` names the request the line runs for, for `runningFor`. */
  shell(line: string, env: Record<string, string>, caller?: string): Promise<Reply<ShellResult>> {
    return this.#asked("sandbox.shell", () => this.bench.shell(line, env, caller));
  }

  runningFor(caller: string): Record<string, string>[] {
    return this.bench.runningFor(caller);
  }

  /** A file's bytes as a stream, and its size in bytes. */
  openFile(path: string): Promise<Reply<{ content: ReadableStream<Uint8Array>; size: number; mimeType: string }>> {
    return this.#asked("sandbox.openFile", () => this.bench.open(path));
  }

  /** Writes the whole file, making its directories. */
  putFile(path: string, content: string, encoding: "utf-8" | "base64"): Promise<Reply<void>> {
    return this.#asked("sandbox.putFile", () => this.bench.write(path, content, encoding));
  }

  directory(path: string, options: { recursive: boolean; hidden: boolean }): Promise<Reply<DirectoryEntry[]>> {
    return this.#asked("sandbox.directory", () => this.bench.list(path, options));
  }

  /** Ends the gateway in order, then the container; returns when it has stopped, or does not. */
  override async stop(signal?: Parameters<ContainerObject<Env>["stop"]>[0]): Promise<void> {
    await this.#supervisor.end({ before: () => this.#endRuns(), after: () => this.halt(signal) });
  }

  protected override async round(): Promise<void> {
    await this.#supervisor.watch(Date.now());
  }

  /** Somebody's call: a container that is about to stop is no place to begin in. */
  #asked<T>(operation: string, work: () => Promise<T>): Promise<Reply<T>> {
    return reply(operation, async () => {
      await this.#supervisor.ended();
      return await work();
    });
  }

  async #endRuns(): Promise<void> {
    using patience = deadline(RUNS_END_WITHIN_MS);
    await raced(this.endRuns(), patience.signal).catch((error: unknown) =>
      log("warn", "container.drain", { outcome: "runs did not end", cause: error }),
    );
  }

  async #post(path: string, body: string, withinMs?: number): Promise<Posted> {
    const { container } = this.ctx;
    if (!container?.running) throw notReady("asleep");
    const tokens = await this.#supervisor.tokens();
    const { port } = this.plan(tokens);
    return await postToGateway(container.getTcpPort(port), { port, path, token: tokens.gateway }, body, withinMs);
  }

  /** When it fails, the first answer takes as long as it would have. */
  async #warmUp(): Promise<void> {
    const started = Date.now();
    try {
      const asked = await this.warmUp();
      const outcome = asked ? (await this.#post(asked.path, asked.body, WARM_WITHIN_MS)).status : "not needed";
      log("info", "gateway.warm", { outcome, ms: Date.now() - started });
    } catch (cause) {
      log("warn", "gateway.warm", { outcome: "failed", ms: Date.now() - started, cause });
    }
  }

  #host(): GatewayHost {
    return {
      storage: this.ctx.storage,
      running: () => this.isUp,
      probe: async (port, path, signal) => {
        const { container } = this.ctx;
        if (!container?.running) throw new Error("The container is not running.");
        return await container.getTcpPort(port).fetch(`http://localhost:${port}${path}`, { signal });
      },
      write: (path, content) => this.bench.write(path, content, "utf-8"),
      start: (command, id, env) => this.bench.start(command, id, env),
      process: (id) => this.lookout.process(id),
      logs: (id) => this.lookout.output(id),
      signal: async (name, pid) => {
        const kill = (target: string) => `${shellLine(["kill", `-${name}`, "--", target])} 2>/dev/null`;
        await this.lookout.shell(`${kill(`-${pid}`)} || ${kill(`${pid}`)}`);
      },
      sleep: () => this.stop(),
      started: () => this.ctx.waitUntil(this.#warmUp()),
    };
  }
}
