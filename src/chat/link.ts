import type { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { GatewayConnection } from "../gateway/connection.ts";

export interface LinkOptions {
  open(): Promise<GatewayConnection>;
  /** Not called when the link closed itself. */
  onLost(failure: Failure): void;
  /** Whether something waits for events; an idle link closes. */
  busy(): boolean;
  idleMs: number;
}

/** One connection shared by all chats: opened when it is needed, kept across calls, closed when it has been idle. */
export class GatewayLink {
  readonly #options: LinkOptions;
  #current: GatewayConnection | undefined;
  #opening: Promise<GatewayConnection> | undefined;
  #idle: ReturnType<typeof setTimeout> | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get current(): GatewayConnection | undefined {
    return this.#current?.open ? this.#current : undefined;
  }

  /** The open connection, or a new one; callers at the same time share the attempt. */
  async use(): Promise<GatewayConnection> {
    this.#touch();
    if (this.current) return this.current;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #open(): Promise<GatewayConnection> {
    const started = Date.now();
    const connection = await this.#options.open();
    this.#current = connection;
    log("info", "chat.connect", { outcome: "open", ms: Date.now() - started });
    void this.#watch(connection);
    return connection;
  }

  async #watch(connection: GatewayConnection): Promise<void> {
    const failure = await connection.ended;
    if (this.#current !== connection) return;
    this.#current = undefined;
    log("info", "chat.connect", { outcome: "lost", cause: failure.cause ?? failure.message });
    this.#options.onLost(failure);
  }

  #touch(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#options.busy()) {
        this.#touch();
        return;
      }
      const connection = this.#current;
      this.#current = undefined;
      connection?.close();
    }, this.#options.idleMs);
  }
}
