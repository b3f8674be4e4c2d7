import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { createContainers, type SharedFolder } from "./containers.ts";
import { createEgressProxy } from "./egress.ts";
import type { Dialled } from "./jailed-container.ts";
import { LARGEST_HEADERS, TOKEN_HEADER, tunnelRequest, tunnelUpgrade } from "./tunnel.ts";

const Action = z.enum(["start", "monitor", "signal", "destroy", "status"]);
const Id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
const Port = z.coerce.number().int().min(1).max(65_535);
/** Arguments and variables end at a NUL, and bwrap's arguments are separated by one. */
const Word = z.string().refine((word) => !word.includes("\0"));
const StartBody = z.strictObject({
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), Word),
  entrypoint: z.array(Word).optional(),
});
const SignalBody = z.strictObject({ signal: z.number().int() });
const LARGEST_BODY = 1024 * 1024;
const SIGKILL = 9;

export interface ContainerHost {
  /** http://127.0.0.1:<port> */
  url: string;
  /** Goes into `x-container-host-token`: without it nothing is answered. */
  token: string;
  /** Stops every container in order, then the server. Takes as long as the slowest container, at most 20 s. */
  close(): Promise<void>;
}

/**
 * The container runtime of the embedded default: a loopback HTTP server that runs one jail per container id and
 * carries HTTP and WebSockets to the ports inside. `standin.ts` is its client. When the process that called this
 * dies, however it dies, every jail dies with it.
 */
export async function startContainerHost(options: {
  /** Holds `<id>/home` and `<id>/workspace` of every container, which outlive it. */
  stateDir: string;
  /** An executable of Node 24, visible inside as /opt/node/bin/node. */
  nodeBinary: string;
  /** Visible inside as /opt/moltbot. */
  containerDir: string;
  /** Where the Worker listens. Asked at each connection from inside, on 127.0.0.1:8790. */
  bridge: () => { host: string; port: number };
  log: (line: string) => void;
  /** Visible inside as /files. */
  folder?: SharedFolder;
  /** What the containers may reach of the internet. Without `allow`: every public address. */
  egress?: { allow?: string[] };
}): Promise<ContainerHost> {
  const { log } = options;
  const token = randomBytes(32).toString("hex");
  const egress = createEgressProxy({ allow: options.egress?.allow, log });
  const containers = await createContainers({ ...options, egress });

  async function act(action: z.infer<typeof Action>, id: string, request: IncomingMessage): Promise<Answer> {
    const container = await containers.get(id);
    switch (action) {
      case "status":
        return { status: 200, body: { running: container?.running ?? false } };
      case "start":
        await containers.start(id, StartBody.parse(await readJson(request)));
        return { status: 200, body: { running: true } };
      case "monitor":
        return container === undefined ? NOT_FOUND : { status: 200, body: await container.exited };
      case "signal": {
        const { signal } = SignalBody.parse(await readJson(request));
        if (signal === SIGKILL) container?.kill();
        else container?.stop();
        return { status: 200, body: {} };
      }
      case "destroy":
        container?.kill();
        await container?.exited;
        return { status: 200, body: {} };
    }
  }

  async function dial({ id, port }: { id: string; port: number }): Promise<Dialled> {
    const container = await containers.get(id);
    return container === undefined ? { type: "not-running" } : container.dial(port);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = authorised(request, token) ? routeOf(request.url ?? "") : undefined;
    if (route?.type === "port") return tunnelRequest(request, response, await dial(route), route.path);
    const { status, body } = route === undefined ? NOT_FOUND : await act(route.action, route.id, request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  async function upgrade(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const route = authorised(request, token) ? routeOf(request.url ?? "") : undefined;
    if (route?.type === "port") return tunnelUpgrade(request, client, head, await dial(route), route.path);
    client.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  }

  const server = createServer({ maxHeaderSize: LARGEST_HEADERS, requestTimeout: 0, keepAliveTimeout: 0 });
  server.on("request", (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log(`container host: ${error instanceof Error ? error.message : String(error)}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(error instanceof z.ZodError || error instanceof SyntaxError ? 400 : 500).end();
    });
  });
  server.on("upgrade", (request, client, head) => {
    client.on("error", () => client.destroy());
    upgrade(request, client, head).catch(() => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The container host has no port");

  return {
    url: `http://127.0.0.1:${address.port}`,
    token,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await containers.stopAll();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  status: number;
  body: unknown;
}

const NOT_FOUND: Answer = { status: 404, body: {} };

/** In constant time; how long a token is, is no secret. */
function authorised(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(String(request.headers[TOKEN_HEADER] ?? ""));
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

type Route =
  | { type: "action"; id: string; action: z.infer<typeof Action> }
  | { type: "port"; id: string; port: number; path: string };

/** `/containers/<id>/<action>` or `/containers/<id>/ports/<port>/<path as it came>`. */
function routeOf(url: string): Route | undefined {
  const [, id, rest = ""] = /^\/containers\/([^/?]+)\/(.+)$/.exec(url) ?? [];
  if (!Id.safeParse(id).success || id === undefined) return undefined;
  const action = Action.safeParse(rest);
  if (action.success) return { type: "action", id, action: action.data };
  const [, port, path = ""] = /^ports\/(\d+)([/?].*)?$/.exec(rest) ?? [];
  const number = Port.safeParse(port);
  if (!number.success) return undefined;
  return { type: "port", id, port: number.data, path: path.startsWith("/") ? path : `/${path}` };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const length = Number(request.headers["content-length"] ?? Infinity);
  if (!(length <= LARGEST_BODY)) throw new SyntaxError("The body is too large, or of unknown length");
  return JSON.parse(await text(request));
}
