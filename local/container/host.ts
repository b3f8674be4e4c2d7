import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createEgressProxy } from './egress.ts';
import { jailIdentity, prepareDirectories } from './jail-directories.ts';
import { systemMounts } from './jail.ts';
import { startJailedContainer, type Dialled, type JailedContainer } from './jailed-container.ts';
import { BRIDGE_PORT, EGRESS_PORT } from './server/wire.ts';
import { LARGEST_HEADERS, TOKEN_HEADER, tunnelRequest, tunnelUpgrade } from './tunnel.ts';

const Route = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  action: z.enum(['start', 'monitor', 'signal', 'destroy', 'status', 'ports']),
});
const Port = z.coerce.number().int().min(1).max(65_535);
const StartBody = z.strictObject({
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().refine((value) => !value.includes('\0'))),
  entrypoint: z.array(z.string().refine((value) => !value.includes('\0'))).optional(),
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
  /** What the containers may reach of the internet. Without `allow`: every public address. */
  egress?: { allow?: string[] };
}): Promise<ContainerHost> {
  const token = randomBytes(32).toString('hex');
  const containers = new Map<string, JailedContainer>();
  const system = await systemMounts();
  const egress = createEgressProxy({ allow: options.egress?.allow, log: options.log });
  const packages = containerServer();

  async function start(id: string, body: z.infer<typeof StartBody>): Promise<void> {
    const log = (line: string) => options.log(`[${id.slice(0, 8)}] ${line}`);
    const identity = await jailIdentity(id);
    const directories = await prepareDirectories(join(options.stateDir, id), identity);
    const container = await startJailedContainer({
      plan: {
        identity,
        directories,
        system,
        readOnly: {
          ...packages.mounts,
          '/opt/node/bin/node': options.nodeBinary,
          '/opt/moltbot': options.containerDir,
        },
        env: { ...jailEnvironment(packages.version), ...body.env },
      },
      command: ['/opt/node/bin/node', packages.main, ...(body.entrypoint ?? [])],
      bridge: options.bridge,
      egress: egress.accept,
      log,
    });
    containers.set(id, container);
    void container.exited.then(({ exitCode }) => log(`exited with code ${exitCode}`));
  }

  /** Starts in flight, so that two requests make one jail. */
  const starting = new Map<string, Promise<void>>();
  async function startOnce(id: string, body: z.infer<typeof StartBody>): Promise<void> {
    const inFlight = starting.get(id) ?? start(id, body).finally(() => starting.delete(id));
    starting.set(id, inFlight);
    return inFlight;
  }

  async function act(action: string, id: string, request: IncomingMessage): Promise<{ status: number; body?: unknown }> {
    await starting.get(id);
    const container = containers.get(id);
    switch (action) {
      case 'status':
        return { status: 200, body: { running: container?.running ?? false } };
      case 'start':
        if (container?.running === true) return { status: 409, body: { error: 'The container is running already' } };
        await startOnce(id, StartBody.parse(JSON.parse(await readBody(request))));
        return { status: 200, body: { running: true } };
      case 'monitor':
        return container === undefined ? { status: 404 } : { status: 200, body: await container.exited };
      case 'signal': {
        const { signal } = SignalBody.parse(JSON.parse(await readBody(request)));
        if (signal === SIGKILL) container?.kill();
        else container?.stop();
        return { status: 200 };
      }
      case 'destroy':
        container?.kill();
        await container?.exited;
        return { status: 200 };
    }
    return { status: 404 };
  }

  function dial(id: string, port: number): Promise<Dialled> {
    return containers.get(id)?.dial(port) ?? Promise.resolve({ type: 'not-running' });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = authorised(request, token) ? routeOf(request.url ?? '') : undefined;
    if (route === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (route.port !== undefined) {
      return tunnelRequest(request, response, await dial(route.id, route.port), route.path);
    }
    const { status, body } = await act(route.action, route.id, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  }

  const server = createServer({ maxHeaderSize: LARGEST_HEADERS, requestTimeout: 0, keepAliveTimeout: 0 });
  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const status = error instanceof z.ZodError || error instanceof SyntaxError ? 400 : 500;
      options.log(`container host: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) response.writeHead(status).end();
      else response.destroy();
    });
  });
  server.on('upgrade', async (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const route = authorised(request, token) ? routeOf(request.url ?? '') : undefined;
    if (route?.port === undefined) return void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    tunnelUpgrade(request, socket, head, await dial(route.id, route.port), route.path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The container host has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    token,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all(starting.values());
      await Promise.all(
        [...containers.values()].map(async (container) => {
          if (container.running) container.stop();
          await container.exited;
        }),
      );
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Both digests have the token's length only if the token is right: the lengths are compared first. */
function authorised(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(String(request.headers[TOKEN_HEADER] ?? ''));
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** `/containers/<id>/<action>` or `/containers/<id>/ports/<port>/<path as it came>`. */
function routeOf(url: string): { id: string; action: string; port?: number; path: string } | undefined {
  const [, id, action, port, path = ''] = /^\/containers\/([^/?]+)\/([a-z]+)(?:\/(\d+)([/?].*)?)?$/.exec(url) ?? [];
  const route = Route.safeParse({ id, action });
  if (!route.success) return undefined;
  if (route.data.action !== 'ports') return port === undefined ? { ...route.data, path } : undefined;
  const number = Port.safeParse(port);
  return number.success ? { ...route.data, port: number.data, path: path.startsWith('/') ? path : `/${path}` } : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? LARGEST_BODY + 1) > LARGEST_BODY) throw new SyntaxError('Body too large');
  return text(request);
}

/** The server that runs inside, with the two packages it needs, and the SDK version it speaks. */
function containerServer(): { main: string; mounts: Record<string, string>; version: string } {
  const require = createRequire(import.meta.url);
  const packageOf = (name: string) => join(dirname(require.resolve(name)).replace(/\/dist$/, ''));
  const { version } = z.object({ version: z.string() }).parse(require(`${packageOf('@cloudflare/sandbox')}/package.json`));
  return {
    main: '/opt/sandbox-server/src/main.ts',
    mounts: {
      '/opt/sandbox-server/src': fileURLToPath(new URL('server', import.meta.url)),
      '/opt/sandbox-server/node_modules/capnweb': packageOf('capnweb'),
      '/opt/sandbox-server/node_modules/ws': packageOf('ws'),
    },
    version,
  };
}

function jailEnvironment(sandboxVersion: string): Record<string, string> {
  const proxy = `http://127.0.0.1:${EGRESS_PORT}`;
  return {
    PATH: '/opt/node/bin:/opt/moltbot/node_modules/.bin:/usr/local/bin:/usr/bin:/bin',
    HOME: '/home/moltbot',
    USER: 'moltbot',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    SANDBOX_VERSION: sandboxVersion,
    MOLTBOT_BRIDGE: `http://127.0.0.1:${BRIDGE_PORT}`,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: '127.0.0.1,localhost,::1',
    no_proxy: '127.0.0.1,localhost,::1',
    NODE_USE_ENV_PROXY: '1',
  };
}
