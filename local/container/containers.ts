import type { Socket } from "node:net";
import { join } from "node:path";
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

/** The containers of a host by id, each in a jail of its own. */
export async function createContainers(options: {
  stateDir: string;
  nodeBinary: string;
  containerDir: string;
  bridge: () => { host: string; port: number };
  egress: (socket: Socket) => void;
  log: (line: string) => void;
}): Promise<Containers> {
  const { stateDir, bridge, egress } = options;
  const containers = new Map<string, JailedContainer>();
  /** Starts in progress, so that two requests make one jail. */
  const starting = new Map<string, Promise<void>>();
  const system = await systemMounts();
  const server = sandboxServer(options);

  async function startNew(id: string, env: Record<string, string>, entrypoint: string[]): Promise<void> {
    const log = (line: string) => options.log(`[${id.slice(0, 8)}] ${line}`);
    const identity = await jailIdentity(id);
    const directories = await prepareDirectories(join(stateDir, id), identity);
    const container = await startJailedContainer({
      plan: { identity, directories, system, readOnly: server.readOnly, env: { ...server.env, ...env } },
      command: [...server.command, ...entrypoint],
      bridge,
      egress,
      log,
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
