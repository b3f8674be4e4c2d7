import { lookup } from 'node:dns/promises';
import { createServer, request as httpRequest } from 'node:http';
import { BlockList, connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from './server/join.ts';

const CONNECT_TIMEOUT_MS = 15_000;

/** Addresses that are not the public internet's (IANA special-purpose registries), cloud metadata among them. */
const PRIVATE_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of IPv6 only 2000::/3 is the public internet's; in it, the ranges that carry an IPv4 address or are documentation. */
const PRIVATE_IPV6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const BLOCKED = new BlockList();
for (const [ranges, family] of [[PRIVATE_IPV4, 'ipv4'], [PRIVATE_IPV6, 'ipv6']] as const) {
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    BLOCKED.addSubnet(address, Number(prefix), family);
  }
}

/** True when a jail may talk to the address: public, and not this machine's own, where its services listen. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || BLOCKED.check(address, family === 4 ? 'ipv4' : 'ipv6')) return false;
  return !Object.values(networkInterfaces()).some((own) => own?.some((entry) => entry.address === address));
}

type Target = { type: 'allowed'; host: string; port: number; addresses: string[] } | { type: 'refused'; reason: string };

export interface EgressProxy {
  /** Serves one connection from a jail as an HTTP proxy. */
  accept(socket: Socket): void;
}

/**
 * An HTTP proxy (CONNECT, and plain http:// requests) for what has no network. It resolves the name itself, refuses a
 * name that has any address that is not public, and dials the address it has checked: a second answer of the name
 * server is never used. With `allow`, only these hosts and `*.` patterns are reached.
 */
export function createEgressProxy(options: {
  allow?: string[] | undefined;
  log: (line: string) => void;
  /** The edges to the network, which tests replace. */
  resolve?: (host: string) => Promise<string[]>;
  dial?: (address: string, port: number) => Socket;
}): EgressProxy {
  const { allow, log, resolve = resolveAll, dial = dialAddress } = options;

  async function target(url: URL, defaultPort: number): Promise<Target> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? defaultPort : Number(url.port);
    if (allow !== undefined && !allow.some((pattern) => matches(pattern, host))) {
      return { type: 'refused', reason: `${host} is not on the list of allowed hosts` };
    }
    const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host];
    if (addresses.length === 0) return { type: 'refused', reason: `${host} does not resolve` };
    if (!addresses.every(isPublicAddress)) return { type: 'refused', reason: `${host} is not a public address` };
    return { type: 'allowed', host, port, addresses };
  }

  /** The first of the checked addresses that answers. */
  async function open(addresses: string[], port: number): Promise<Socket | undefined> {
    for (const address of addresses) {
      const socket = dial(address, port);
      const connected = await new Promise<boolean>((resolve) => {
        socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
        socket.once('connect', () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.once('close', () => resolve(false));
      });
      if (connected) return socket.setTimeout(0);
    }
    return undefined;
  }

  async function reach(url: URL | null, defaultPort: number): Promise<Socket | { status: number; reason: string }> {
    if (url === null) return { status: 400, reason: 'Not a request this proxy understands' };
    const found = await target(url, defaultPort);
    if (found.type === 'refused') {
      log(`egress refused: ${found.reason}`);
      return { status: 403, reason: found.reason };
    }
    return (await open(found.addresses, found.port)) ?? { status: 502, reason: `${found.host} does not answer` };
  }

  const server = createServer(async (request, response) => {
    const url = URL.parse(request.url ?? '');
    const reached = await reach(url?.protocol === 'http:' ? url : null, 80);
    if (!('connecting' in reached)) {
      response.writeHead(reached.status, { 'content-type': 'text/plain' }).end(`${reached.reason}\n`);
      return;
    }
    const { 'proxy-connection': _hop, 'proxy-authorization': _secret, ...headers } = request.headers;
    const onward = httpRequest({
      createConnection: () => reached,
      method: request.method,
      path: `${url?.pathname}${url?.search}`,
      headers: { ...headers, connection: 'close' },
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });

  server.on('connect', async (request, client, head) => {
    client.on('error', () => client.destroy());
    const reached = await reach(URL.parse(`tunnel://${request.url}`), 443);
    if (!('connecting' in reached)) {
      const body = `${reached.reason}\n`;
      client.end(
        `HTTP/1.1 ${reached.status} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
      return;
    }
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) client.unshift(head);
    join(client, reached);
  });
  server.on('clientError', (_error, socket) => socket.destroy());

  return { accept: (socket) => void server.emit('connection', socket) };
}

async function resolveAll(host: string): Promise<string[]> {
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}

function dialAddress(address: string, port: number): Socket {
  return connect({ host: address, port, allowHalfOpen: true, noDelay: true });
}

function matches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
}
