import { Sandbox } from "@cloudflare/sandbox";
import { type Reply, reply } from "../core/reply.ts";
import type { GatewayPlan, GatewayStatus, GatewayTokens } from "./gateway-plan.ts";
import type { DirectoryEntry, ShellResult } from "./results.ts";
import { type GatewayHost, GatewaySupervisor } from "./supervisor.ts";
import { NO_SESSION, sandboxFailure } from "./wire.ts";

/**
 * The container's Durable Object: the SDK's Sandbox, and in it the one gateway. Every method of ours answers with a
 * Reply, for the SDK's error codes do not survive the way out of a Durable Object.
 */
export abstract class SandboxObject<Env extends Cloudflare.Env> extends Sandbox<Env> {
  readonly #supervisor: GatewaySupervisor;

  constructor(ctx: DurableObjectState<{}>, env: Env) {
    super(ctx, env);
    this.#supervisor = new GatewaySupervisor(this.#host(), (tokens) => this.plan(tokens));
  }

  protected abstract plan(tokens: GatewayTokens): GatewayPlan;

  gatewayReady(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.ready", () => this.#supervisor.ready());
  }

  gatewayRestart(): Promise<Reply<GatewayTokens>> {
    return reply("gateway.restart", () => this.#supervisor.restart());
  }

  gatewayStatus(): Promise<Reply<GatewayStatus>> {
    return reply("gateway.status", () => this.#supervisor.status());
  }

  /** Whether `token` is the one the present gateway was given for the bridge. */
  async bridgeAdmits(token: string): Promise<boolean> {
    const { bridge } = await this.#supervisor.tokens();
    const [shown, wanted] = [new TextEncoder().encode(token), new TextEncoder().encode(bridge)];
    return shown.byteLength === wanted.byteLength && crypto.subtle.timingSafeEqual(shown, wanted);
  }

  /** Runs a shell line in a process of its own. Throws nothing: a line that fails has an exit code. */
  shell(line: string, env: Record<string, string>): Promise<Reply<ShellResult>> {
    return reply("sandbox.shell", async () => {
      const { exitCode, stdout, stderr } = await this.execWithSessionToken(line, NO_SESSION, { env }).catch((error: unknown) => {
        throw sandboxFailure(error, "Running the command");
      });
      return { exitCode, stdout, stderr };
    });
  }

  /** A file's bytes as a stream, and its size in bytes. */
  openFile(path: string): Promise<Reply<{ content: ReadableStream<Uint8Array>; size: number; mimeType: string }>> {
    return reply("sandbox.openFile", async () => {
      const { content, size, mimeType } = await this.readFile(path, { encoding: "none", sessionId: NO_SESSION }).catch((error: unknown) => {
        throw sandboxFailure(error, `Reading ${path}`);
      });
      return { content, size, mimeType };
    });
  }

  /** Writes the whole file, making its directories. */
  putFile(path: string, content: string, encoding: "utf-8" | "base64"): Promise<Reply<void>> {
    return reply("sandbox.putFile", async () => {
      try {
        const directory = path.slice(0, path.lastIndexOf("/"));
        if (directory !== "") await this.mkdir(directory, { recursive: true, sessionId: NO_SESSION });
        await this.writeFile(path, content, { encoding, sessionId: NO_SESSION });
      } catch (error) {
        throw sandboxFailure(error, `Writing ${path}`);
      }
    });
  }

  directory(path: string, options: { recursive: boolean; hidden: boolean }): Promise<Reply<DirectoryEntry[]>> {
    return reply("sandbox.directory", async () => {
      const { files } = await this.listFiles(path, {
        recursive: options.recursive,
        includeHidden: options.hidden,
        sessionId: NO_SESSION,
      }).catch((error: unknown) => {
        throw sandboxFailure(error, `Listing ${path}`);
      });
      return files.map((file) => ({ path: file.absolutePath, type: file.type, size: file.size, modified: file.modifiedAt }));
    });
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
      write: async (path, content) => {
        await this.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, sessionId: NO_SESSION });
        await this.writeFile(path, content, { sessionId: NO_SESSION });
      },
      start: async (command, processId, env) => {
        await this.startProcess(command, { processId, env }, NO_SESSION);
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
      terminate: (id) => this.killProcess(id, "SIGTERM", NO_SESSION),
      shell: async (line) => {
        await this.execWithSessionToken(line, NO_SESSION);
      },
    };
  }
}
