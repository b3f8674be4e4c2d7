import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { readSettings, type Settings } from "../../container/keeper/settings.ts";
import type { Fault } from "./fixture/faults.ts";

const CONFIG = fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url));
const KEEPER = fileURLToPath(new URL("../../container/keeper/", import.meta.url));

const replySchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), value: z.any() }),
  z.object({
    ok: z.literal(false),
    failure: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
  }),
]);

export interface MemoryStack {
  url: string;
  /** A method of the memory object: its value, or a throw of its failure. */
  // Each test knows its own method's value.
  // oxlint-disable-next-line typescript/no-explicit-any
  call(method: string, ...args: unknown[]): Promise<any>;
  /** As `call`, for methods that answer with no Reply. */
  tell(method: string, ...args: unknown[]): Promise<void>;
  faults(set: {
    calls?: string[];
    at?: { call: number | string; fault: Fault } | null;
    down?: boolean;
  }): Promise<string[]>;
  /** Paths of the present generation. */
  paths(): Promise<string[]>;
  keys(): Promise<{ key: string; size: number }[]>;
  bucket(method: "GET" | "PUT" | "DELETE", key: string, body?: Uint8Array): Promise<Uint8Array | undefined>;
  log(): string[];
  /** A disk on which a bot could live. */
  disk(): Disk;
  close(): Promise<void>;
}

/** The memory object and its bridge in workerd. */
export async function startMemoryWorker(options: {
  persist: string | false;
  port: number;
  log: (line: string) => void;
}) {
  const worker = await unstable_startWorker({
    config: CONFIG,
    dev: {
      server: { hostname: "127.0.0.1", port: options.port },
      persist: options.persist,
      inspector: false,
      watch: false,
      logLevel: "error",
      structuredLogsHandler: ({ message }: { message: string }) => options.log(message),
    },
  });
  await worker.ready;
  return worker;
}

/** The same, with disks and keepers around it. */
export async function memoryStack(): Promise<MemoryStack> {
  const logged: string[] = [];
  const worker = await startMemoryWorker({ persist: false, port: 0, log: (line) => void logged.push(line) });
  const url = (await worker.url).origin;
  const folder = mkdtempSync(join(tmpdir(), "moltbot-memory-"));
  const disks: Disk[] = [];
  const post = async (path: string, body: unknown) => {
    const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
    return await response.text();
  };
  const call: MemoryStack["call"] = async (method, ...args) => {
    const answer = replySchema.parse(JSON.parse(await post("/memory", { method, args })));
    if (answer.ok) return answer.value;
    throw new Error(`${answer.failure.code}: ${answer.failure.message} ${answer.failure.hint ?? ""}`);
  };
  return {
    url,
    call,
    async tell(method, ...args) {
      await post("/memory", { method, args });
    },
    async faults(set) {
      const { calls } = z.object({ calls: z.array(z.string()) }).parse(JSON.parse(await post("/faults", set)));
      return calls;
    },
    async paths() {
      const { head } = z.object({ head: z.object({ id: z.string() }).nullable() }).parse(await call("status"));
      if (!head) return [];
      const lines = await (await fetch(`${url}/bridge/state/entries/${head.id}`)).text();
      return lines
        .trim()
        .split("\n")
        .map((line) => z.object({ path: z.string() }).parse(JSON.parse(line)).path);
    },
    async keys() {
      const response = await fetch(`${url}/bucket`);
      return z.array(z.object({ key: z.string(), size: z.number() })).parse(await response.json());
    },
    async bucket(method, key, body) {
      const response = await fetch(`${url}/bucket/${key}`, { method, ...(body ? { body: Buffer.from(body) } : {}) });
      return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : undefined;
    },
    log: () => logged,
    disk() {
      const disk = new Disk(join(folder, String(disks.length)), url);
      disks.push(disk);
      return disk;
    },
    async close() {
      for (const disk of disks) disk.kill();
      await worker.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Folders as a container has them, and the keeper's processes on them. */
export class Disk {
  readonly root: string;
  readonly workspace: string;
  readonly state: string;
  readonly home: string;
  readonly settings: Settings;
  readonly #env: Record<string, string>;
  readonly #running = new Set<ChildProcess>();

  constructor(root: string, url: string) {
    this.root = root;
    this.workspace = join(root, "workspace");
    this.state = join(root, "home/.openclaw");
    this.home = join(root, "home/.keeper");
    for (const folder of [this.workspace, this.state]) mkdirSync(folder, { recursive: true });
    this.#env = {
      KEEPER_URL: `${url}/bridge/state`,
      KEEPER_HOME: this.home,
      KEEPER_WORKSPACE: this.workspace,
      KEEPER_STATE: this.state,
      BRIDGE_TOKEN: "unused-here",
    };
    this.settings = readSettings(this.#env);
  }

  /** Rejects with what it wrote to stderr when it fails. */
  async restore(): Promise<string> {
    const { code, output } = await this.#run("restore").ended;
    if (code !== 0) throw new Error(output);
    return output;
  }

  /** The keeper beside the bot, to be stopped with SIGTERM or killed. */
  keep(): RunningKeeper {
    return this.#run("keep");
  }

  /** Restores, and keeps once all there is. */
  async keepOnce(): Promise<string> {
    await this.restore();
    const keeper = this.keep();
    await keeper.started;
    keeper.stop();
    const { code, output } = await keeper.ended;
    if (code !== 0) throw new Error(`exit code ${code}: ${output}`);
    return output;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** The container is gone, with all it had. */
  destroy(): void {
    this.kill();
    rmSync(this.root, { recursive: true, force: true });
    for (const folder of [this.workspace, this.state]) mkdirSync(folder, { recursive: true });
  }

  kill(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  #run(what: "restore" | "keep"): RunningKeeper {
    const child = spawn(process.execPath, [join(KEEPER, "main.ts"), what], {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    const started = once(child.stdout, "data").then(() => undefined);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
    const ended = once(child, "close").then(([code]) => {
      this.#running.delete(child);
      return { code: z.number().nullable().parse(code), output };
    });
    return {
      started,
      ended,
      stop: () => void child.kill("SIGTERM"),
      kill: () => void child.kill("SIGKILL"),
      output: () => output,
    };
  }
}

export interface RunningKeeper {
  /** It has said something, and heeds SIGTERM from here on. */
  started: Promise<void>;
  ended: Promise<{ code: number | null; output: string }>;
  stop(): void;
  kill(): void;
  output(): string;
}
