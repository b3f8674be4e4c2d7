import { once } from "node:events";
import { createServer } from "node:http";
import { raced } from "../../src/core/deadline.ts";
import { Failure } from "../../src/core/failure.ts";

export interface RedirectListener {
  /** The redirect address to register. */
  url: string;
  /** What the authorization server sent along, once the browser has come back. */
  arrived(signal: AbortSignal): Promise<URLSearchParams>;
  close(): Promise<void>;
}

/** Waits on a free loopback port for the browser to come back from the sign-in, as RFC 8252 has it. */
export async function listenForRedirect(): Promise<RedirectListener> {
  const arrival = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname !== "/callback") {
      response.writeHead(404).end();
      return;
    }
    const done = url.searchParams.has("code");
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8", connection: "close" });
    response.end(
      done
        ? "Signed in. Go back to the terminal; this window can be closed."
        : "Not signed in. Go back to the terminal.",
    );
    arrival.resolve(url.searchParams);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The redirect listener has no port.");
  return {
    url: `http://127.0.0.1:${address.port}/callback`,
    async arrived(signal) {
      try {
        return await raced(arrival.promise, signal);
      } catch (cause) {
        throw new Failure("timeout", "Nobody came back from the sign-in page.", { cause });
      }
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
