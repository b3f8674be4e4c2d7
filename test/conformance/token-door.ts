import { createServer, request as send } from "node:http";
import { z } from "zod";

export interface TokenDoor {
  url: string;
  close(): Promise<void>;
}

/** A door in front of an MCP endpoint for a program that knows no tokens: adds one, and changes nothing else. */
export async function tokenDoor(endpoint: string, token: string): Promise<TokenDoor> {
  const { host, port, pathname } = new URL(endpoint);
  const server = createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    // Its own name becomes the Worker's; another one is a test, and stays.
    if (headers.host === new URL(door).host) headers.host = host;
    const onward = send(
      { host: "127.0.0.1", port, path: request.url ?? "/", method: request.method, headers },
      (come) => {
        response.writeHead(come.statusCode ?? 502, come.headers);
        come.pipe(response);
      },
    );
    onward.once("error", () => response.destroy());
    response.once("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = z.object({ port: z.number() }).parse(server.address());
  const door = `http://localhost:${address.port}${pathname}`;
  return {
    url: door,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
