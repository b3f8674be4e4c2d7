import { once } from "node:events";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from "node:http";
import { z } from "zod";

/** Access in front of a Worker, as far as a service token is concerned: it is checked here and becomes a signed ticket. */
export async function accessEdge(
  worker: string,
  token: { id: string; secret: string },
  ticket: () => Promise<string>,
): Promise<{ url: string; seen: string[]; close(): Promise<void> }> {
  const seen: string[] = [];
  const { hostname, port } = new URL(worker);
  const pass = async (from: IncomingMessage, to: ServerResponse, headers: OutgoingHttpHeaders) => {
    const signed = { ...headers, "cf-access-jwt-assertion": await ticket() };
    const onward = request({ hostname, port, method: from.method, path: from.url, headers: signed }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
      answer.on("error", () => to.destroy());
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  };
  const server = createServer((from, to) => {
    const { "cf-access-client-id": id, "cf-access-client-secret": secret, ...headers } = from.headers;
    seen.push(`${from.method} ${from.url}`);
    if (id === token.id && secret === token.secret) {
      pass(from, to, headers).catch(() => to.destroy());
    } else {
      from.resume();
      to.writeHead(302, { location: `${worker}/elsewhere` }).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
