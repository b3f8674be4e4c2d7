import { RpcTarget } from "capnweb";
import type { Sessions } from "./sessions.ts";
import type { Environment } from "./shell.ts";

/** rpc group `utils` (the SDK's name for it): version, liveness, sessions. */
export class Utils extends RpcTarget {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    super();
    this.#sessions = sessions;
  }

  ping(): string {
    return "healthy";
  }

  /** The SDK's own version, which the container host puts here: the SDK warns about any other. */
  getVersion(): string {
    return process.env["SANDBOX_VERSION"] ?? "unknown";
  }

  getCommands(): string[] {
    return [];
  }

  createSession(options: { id: string; env?: Environment; cwd?: string }) {
    this.#sessions.create(options.id, { cwd: options.cwd, env: options.env });
    return {
      success: true,
      id: options.id,
      message: `Session ${options.id} created`,
      timestamp: new Date().toISOString(),
      containerPlacementId: null,
    };
  }

  deleteSession(sessionId: string) {
    this.#sessions.delete(sessionId);
    return { success: true, sessionId, timestamp: new Date().toISOString() };
  }

  listSessions() {
    return { sessions: this.#sessions.list() };
  }
}
