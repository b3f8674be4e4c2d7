import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import type { ChatAccess } from "../../src/chat/access.ts";
import { type ChatEvent, chatEvent } from "../../src/chat/event.ts";
import type { ChatLimits } from "../../src/chat/limits.ts";
import type { FailureCode } from "../../src/core/failure.ts";
import type { Reply } from "../../src/core/reply.ts";

const CONFIG = fileURLToPath(new URL("fixture/wrangler.jsonc", import.meta.url));

/** Whatever listens as a gateway: the real one, or a scripted one for faults of the wire. */
export interface GatewayUnderTest {
  port: number;
  token: string;
  ready(): Promise<void>;
}

type Method = Exclude<keyof ChatAccess, "follow">;
type Value<M extends Method> = Awaited<ReturnType<ChatAccess[M]>> extends Reply<infer T> ? T : never;

export interface ChatStack {
  call<M extends Method>(method: M, ...args: Parameters<ChatAccess[M]>): Promise<Reply<Value<M>>>;
  /** As `call`, for what must succeed. */
  ok<M extends Method>(method: M, ...args: Parameters<ChatAccess[M]>): Promise<Value<M>>;
  follow(principal: string, runId: string, cursor?: number, signal?: AbortSignal): AsyncGenerator<ChatEvent>;
  /** All events of a run from the cursor to its end. */
  all(principal: string, runId: string, cursor?: number): Promise<ChatEvent[]>;
  followStatus(principal: string, runId: string): Promise<number>;
  /** Cuts every connection to the gateway; new ones work, unless it is held down. */
  cut(): void;
  hold: (down: boolean) => void;
  connections(): number;
  /** The object loses its memory and its connections, as when it is moved to another machine. */
  evict(): Promise<void>;
  readies(): number;
  /** What the object wrote to its log. */
  log(): string[];
  close(): Promise<void>;
}

/** The fixture passes the object's answer through unchanged; its value is what the method says. */
function replyOf<T>() {
  return z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(true), value: z.custom<T>() }),
    z.object({
      ok: z.literal(false),
      failure: z.object({ code: z.custom<FailureCode>(), message: z.string(), hint: z.string().exactOptional() }),
    }),
  ]);
}

/** The chat object in workerd, reaching the gateway through a wire that can be cut. */
export async function chatStack(gateway: GatewayUnderTest, limits: Partial<ChatLimits> = {}): Promise<ChatStack> {
  const wire = await cuttableWire(gateway.port);
  let readies = 0;
  const supervisor = createServer((_request, response) => {
    readies += 1;
    gateway.ready().then(
      () => response.end(JSON.stringify({ token: gateway.token })),
      () => response.writeHead(500).end(),
    );
  });
  const logged: string[] = [];
  // Not createTestHarness: it sends what the Worker fetches through Node's fetch, which knows no WebSockets.
  const worker = await unstable_startWorker({
    config: CONFIG,
    bindings: {
      SUPERVISOR_URL: plain(`http://127.0.0.1:${await listen(supervisor)}`),
      GATEWAY_URL: plain(`http://127.0.0.1:${wire.port}`),
      LIMITS: plain(JSON.stringify(limits)),
    },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      persist: false,
      inspector: false,
      watch: false,
      logLevel: "error",
      structuredLogsHandler: ({ message }: { message: string }) => void logged.push(message),
    },
  });
  await worker.ready;
  const url = await worker.url;

  async function post(method: string, args: unknown[]): Promise<unknown> {
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ method, args }) });
    return await response.json();
  }

  async function call<M extends Method>(method: M, ...args: Parameters<ChatAccess[M]>): Promise<Reply<Value<M>>> {
    return replyOf<Value<M>>().parse(await post(method, args));
  }

  async function* follow(principal: string, runId: string, cursor = 0, signal?: AbortSignal) {
    const query = new URLSearchParams({ principal, run: runId, cursor: String(cursor) });
    // The development server compresses what it may, and holds small pieces back to do so.
    const headers = { "accept-encoding": "identity" };
    const response = await fetch(new URL(`/follow?${query}`, url), signal ? { headers, signal } : { headers });
    if (!response.ok || !response.body) throw new Error(await response.text());
    let rest = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield chatEvent.parse(JSON.parse(line));
    }
  }

  return {
    call,
    async ok(method, ...args) {
      const answer = await call(method, ...args);
      if (!answer.ok) throw new Error(`${method}: ${JSON.stringify(answer.failure)}`);
      return answer.value;
    },
    follow,
    async all(principal, runId, cursor) {
      const events = [];
      for await (const event of follow(principal, runId, cursor)) events.push(event);
      return events;
    },
    async followStatus(principal, runId) {
      const query = new URLSearchParams({ principal, run: runId });
      return (await fetch(new URL(`/follow?${query}`, url))).status;
    },
    cut: wire.cut,
    hold: wire.hold,
    connections: wire.connections,
    async evict() {
      await post("evict", []);
    },
    readies: () => readies,
    log: () => logged,
    async close() {
      await worker.dispose();
      supervisor.close();
      supervisor.closeAllConnections();
      wire.close();
    },
  };
}

function plain(value: string) {
  return { type: "plain_text", value } as const;
}

async function cuttableWire(target: number) {
  const pairs = new Set<[Socket, Socket]>();
  let down = false;
  const server = createTcpServer((near) => {
    if (down) {
      near.destroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const drop = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", drop).on("close", drop);
    near.pipe(far).pipe(near);
  });
  const port = await listen(server);
  const cut = () => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    port,
    cut,
    hold: (value: boolean) => {
      down = value;
    },
    connections: () => pairs.size,
    close() {
      cut();
      server.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port.");
  return address.port;
}

/** The text a follower has on screen after these events. */
export function shown(events: readonly ChatEvent[]): string {
  return events.reduce((text, event) => {
    if (event.type !== "text") return text;
    return event.replace ? event.text : text + event.text;
  }, "");
}

export function end(events: readonly ChatEvent[]): Extract<ChatEvent, { type: "end" }> {
  const last = events.at(-1);
  if (last?.type !== "end") throw new Error(`The run did not end: ${JSON.stringify(events)}`);
  return last;
}
