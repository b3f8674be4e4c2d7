import type { Socket } from "node:net";
import { join } from "node:path";
import { compiledMounts } from "./compiled-code.ts";
import { jailIdentity, prepareDirectories } from "./jail-directories.ts";
import { systemMounts } from "./jail.ts";
import { startJailedContainer, type JailedContainer } from "./jailed-container.ts";
import { sandboxServer } from "./sandbox-server.ts";

export interface Containers {
  /** Starts the container unless it runs already. */
  start(id: string, options: { env: Record<string, string>; entrypoint?: string[] | undefined }): Promise<void>;
  /** The container as it was last started, once a start in progress is over. */
  get(id: string): Promise<JailedContainer | undefined>;
  /** Stops all in order; resolves when the last one has ended. */
  stopAll(): Promise<void>;
}

/** A folder of the machine that all containers of a host share as /files, and that outlives them. */
export interface SharedFolder {
  path: string;
  /** Makes it, if need be, before a container sees it. */
  open(): Promise<void>;
  /** A container runs that may write to it. */
  watch(): void;
  /** One of them has ended. */
  settle(): Promise<void>;
}

/** The containers of a host by id, each in a jail of its own. */
export async function createContainers(options: {
  stateDir: string;
  nodeBinary: string;
  containerDir: string;
  bridge: () => { host: string; port: number };
  egress: (socket: Socket) => void;
  log: (line: string) => void;
  folder?: SharedFolder;
}): Promise<Containers> {
  const { stateDir, bridge, egress, folder } = options;
  const containers = new Map<string, JailedContainer>();
  /** Starts in progress, so that two requests make one jail. */
  const starting = new Map<string, Promise<void>>();
  const system = await systemMounts();
  const server = sandboxServer(options);

  async function startNew(id: string, env: Record<string, string>, entrypoint: string[]): Promise<void> {
    const log = (line: string) => options.log(`[${id.slice(0, 8)}] ${line}`);
    const identity = await jailIdentity(id);
    await folder?.open();
    const directories = await prepareDirectories(join(stateDir, id), identity, folder?.path);
    const settle = async () => await folder?.settle();
    const readOnly = { ...server.readOnly, ...(await compiledMounts(options.containerDir, identity)) };
    folder?.watch();
    const container = await startJailedContainer({
      plan: { identity, directories, system, readOnly, env: { ...server.env, ...env } },
      command: [...server.command, ...entrypoint],
      bridge,
      egress,
      log,
      afterwards: settle,
    }).catch(async (error: unknown) => {
      await settle();
      throw error;
    });
    containers.set(id, container);
    void container.exited.then(({ exitCode }) => log(`exited with code ${exitCode}`));
  }

  return {
    start(id, { env, entrypoint = [] }) {
      if (containers.get(id)?.running === true) return Promise.resolve();
      const inProgress = starting.get(id);
      if (inProgress !== undefined) return inProgress;
      const start = startNew(id, env, entrypoint).finally(() => starting.delete(id));
      starting.set(id, start);
      return start;
    },
    async get(id) {
      await starting.get(id);
      return containers.get(id);
    },
    async stopAll() {
      await Promise.allSettled(starting.values());
      const running = [...containers.values()].filter((container) => container.running);
      for (const container of running) container.stop();
      await Promise.all(running.map((container) => container.exited));
    },
  };
}
