import type { z } from "zod";
import { deadline, raced } from "../core/deadline.ts";
import { Failure, toFailure } from "../core/failure.ts";
import { type Hello, parse, readFrame, type WireError, wireFailure } from "./protocol.ts";

/** Longest wait for an answer unless the caller says otherwise. The gateway answers within 35 ms; a cold history takes 2 s. */
const REQUEST_MS = 20_000;
/** The gateway ticks every tickIntervalMs; this many silent intervals mean that the other end is gone. */
const SILENT_TICKS = 2.5;

interface Waiting {
  resolve(payload: unknown): void;
  reject(failure: Failure): void;
  method: string;
}

export interface RequestOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/**
 * Requests and events over one open WebSocket. It never reconnects: when the socket goes, `ended` says why,
 * and every request that still waits fails with the same reason.
 */
export class GatewayConnection {
  /** Resolves once, with the reason. */
  readonly ended: Promise<Failure>;
  /** Set by the handshake. */
  hello: Hello | undefined;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #onEvent: (event: string, payload: unknown) => void;
  #end: (failure: Failure) => void = () => {};
  #failure: Failure | undefined;
  #next = 0;
  #heard = Date.now();
  #watch: ReturnType<typeof setInterval> | null = null;

  /** `socket` is accepted and open. A listener that throws ends the connection: what it was told cannot be told again. */
  constructor(socket: WebSocket, onEvent: (event: string, payload: unknown) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    socket.addEventListener("message", (message) => this.#receive(message.data));
    socket.addEventListener("close", (event) => {
      this.#finish(lost(`code ${event.code}`), 1000);
    });
    socket.addEventListener("error", () => this.#finish(lost("socket error"), 1000));
  }

  get open(): boolean {
    return this.#failure === undefined;
  }

  /** Called by the handshake. From here on silence is a fault. */
  greet(hello: Hello): void {
    this.hello = hello;
    const limit = hello.policy.tickIntervalMs * SILENT_TICKS;
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heard > limit) this.#finish(lost("silence"), 4000);
    }, hello.policy.tickIntervalMs);
  }

  /** One call; throws Failure. An abort or a timeout stops the wait, not the gateway's work. */
  async request<T>(method: string, params: unknown, result: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
    const answer = await this.exchange(method, params, options);
    if (answer.ok) return parse(result, answer.payload, `an answer to ${method}`);
    throw wireFailure(method, answer.error);
  }

  /** As `request`, for the caller who reads the gateway's error himself. */
  async exchange(
    method: string,
    params: unknown,
    options: RequestOptions = {},
  ): Promise<{ ok: true; payload: unknown } | { ok: false; error: WireError }> {
    if (this.#failure) throw this.#failure;
    const body = JSON.stringify({ type: "req", id: String(++this.#next), method, params });
    const limit = this.hello?.policy.maxPayload;
    if (limit !== undefined && body.length > limit) {
      throw new Failure("too_large", `The message is larger than the gateway takes (${limit} bytes).`, {
        hint: "Send fewer or smaller attachments.",
      });
    }
    const id = String(this.#next);
    using limited = deadline(options.timeoutMs ?? REQUEST_MS, options.signal);
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, method });
    });
    try {
      this.#socket.send(body);
      return { ok: true, payload: await raced(answer, limited.signal) };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, error: error.error };
      if (limited.signal.aborted || error instanceof Failure) throw error;
      // workerd throws a TypeError when the socket closed before its close event was delivered.
      throw lost("send failed", error);
    } finally {
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#finish(new Failure("cancelled", "The connection to the gateway was closed."), 1000);
  }

  #receive(data: string | ArrayBuffer | Blob): void {
    this.#heard = Date.now();
    try {
      const frame = readFrame(data);
      if (frame.type === "event") {
        this.#onEvent(frame.event, frame.payload);
        return;
      }
      const waiting = this.#waiting.get(frame.id);
      if (frame.ok) waiting?.resolve(frame.payload);
      else waiting?.reject(new Refusal(waiting.method, frame.error));
    } catch (error) {
      this.#finish(toFailure(error), 4002);
    }
  }

  #finish(failure: Failure, code: number): void {
    if (this.#failure) return;
    this.#failure = failure;
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const waiting of this.#waiting.values()) waiting.reject(failure);
    try {
      this.#socket.close(code);
    } catch {
      // Already closed on the other side.
    }
    this.#end(failure);
  }
}

/** A refusal on its way from the frame to the caller of `exchange`. */
class Refusal extends Failure {
  readonly error: WireError;

  constructor(method: string, error: WireError) {
    super("upstream", `The gateway refused ${method}.`);
    this.error = error;
  }
}

function lost(how: string, cause?: unknown): Failure {
  return new Failure("unavailable", "The connection to the gateway was lost.", {
    hint: "Try again; the gateway is started again when it is down.",
    cause: cause ?? how,
  });
}
