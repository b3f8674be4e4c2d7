import { RpcTarget } from "capnweb";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { eventStream } from "./event-stream.ts";
import { failure, messageOf } from "./failure.ts";
import type { ProcessTable } from "./process-table.ts";

const CHECK_TIMEOUT_MS = 5_000;

interface PortWatchRequest {
  port: number;
  mode: "http" | "tcp";
  path?: string;
  statusMin?: number;
  statusMax?: number;
  processId?: string;
  interval?: number;
}

/** rpc group `ports`: tells when a port is ready, or that the process that was to open it has ended. */
export class Ports extends RpcTarget {
  readonly #processes: ProcessTable;

  constructor(processes: ProcessTable) {
    super();
    this.#processes = processes;
  }

  watchPort(request: PortWatchRequest): ReadableStream<Uint8Array> {
    const { port, processId } = request;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw failure("INVALID_PORT", `Port ${port} is not a port`, { port, reason: "out of range" });
    }
    const interval = Math.min(Math.max(request.interval ?? 500, 100), 10_000);
    const stop = new AbortController();
    const events = eventStream({ onEnd: () => stop.abort() });
    events.send({ type: "watching", port });
    const watch = async () => {
      while (!stop.signal.aborted) {
        const process = processId === undefined ? undefined : this.#processes.get(processId);
        if (process?.exitCode !== undefined) {
          return events.send({ type: "process_exited", port, exitCode: process.exitCode });
        }
        const statusCode = await (request.mode === "tcp" ? tcpReady(port) : httpReady(request));
        if (statusCode !== undefined) return events.send({ type: "ready", port, statusCode: statusCode ?? undefined });
        await new Promise((resolve) => setTimeout(resolve, interval));
      }
    };
    watch()
      .catch((error: unknown) => events.send({ type: "error", port, error: messageOf(error) }))
      .finally(() => events.close());
    return events.stream;
  }
}

/** `null` when something listens (there is no status), `undefined` when nothing does. */
function tcpReady(port: number): Promise<null | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: CHECK_TIMEOUT_MS });
    const finish = (result: null | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", () => finish(null));
    socket.on("timeout", () => finish(undefined));
    socket.on("error", () => finish(undefined));
  });
}

/** The status when it is in the wanted range. `node:http` and not `fetch`, which would go through the proxy variables. */
function httpReady({
  port,
  path = "/",
  statusMin = 200,
  statusMax = 399,
}: PortWatchRequest): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path: path.startsWith("/") ? path : `/${path}`,
        agent: false,
        timeout: CHECK_TIMEOUT_MS,
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.destroy();
        resolve(statusCode >= statusMin && statusCode <= statusMax ? statusCode : undefined);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(undefined));
    request.end();
  });
}
