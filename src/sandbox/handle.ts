import { getSandbox } from "@cloudflare/sandbox";
import { Failure } from "../core/failure.ts";
import type { SandboxObject } from "./object.ts";

/** The one bot's container. */
const SANDBOX_NAME = "moltbot";

export interface SandboxHandle<Object extends SandboxObject<Cloudflare.Env>> {
  object: DurableObjectStub<Object>;
  /** The same object, said where it is only looked at: that starts nothing, and puts off no sleep. */
  bare: DurableObjectStub<Object>;
  /** An open WebSocket to a port of the container. */
  socket(port: number): Promise<WebSocket>;
  /** HTTP to a port of the container. */
  fetch(port: number, path: string, init?: RequestInit): Promise<Response>;
}

/** The object knows its settings itself: nothing has to be told it before it is used. */
export function sandboxHandle<Object extends SandboxObject<Cloudflare.Env>>(
  namespace: DurableObjectNamespace<Object>,
): SandboxHandle<Object> {
  const object = namespace.get(namespace.idFromName(SANDBOX_NAME));
  return {
    object,
    bare: object,
    async socket(port) {
      const request = new Request("http://localhost/", { headers: { upgrade: "websocket", connection: "Upgrade" } });
      const { webSocket, status } = await getSandbox(namespace, SANDBOX_NAME).wsConnect(request, port);
      if (!webSocket)
        throw new Failure("unavailable", "The Moltbot's gateway refused the connection.", {
          cause: `status ${status}`,
        });
      webSocket.accept();
      return webSocket;
    },
    fetch: (port, path, init) => object.containerFetch(new Request(`http://localhost${path}`, init), port),
  };
}
