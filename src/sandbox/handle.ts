import { getSandbox } from "@cloudflare/sandbox";
import { Failure } from "../core/failure.ts";
import type { SandboxObject } from "./object.ts";

/** The one bot's container. */
const SANDBOX_NAME = "moltbot";

export interface SandboxHandle<Object extends SandboxObject<Cloudflare.Env>> {
  object: DurableObjectStub<Object>;
  /** The same object, not told of the settings; telling it puts off the container's sleep, which no stranger may do. */
  bare: DurableObjectStub<Object>;
  /** An open WebSocket to a port of the container. */
  socket(port: number): Promise<WebSocket>;
  /** HTTP to a port of the container. */
  fetch(port: number, path: string, init?: RequestInit): Promise<Response>;
}

/** `sleepAfter` is a duration such as "10m", or "never". The object is told of it when it is first used. */
export function sandboxHandle<Object extends SandboxObject<Cloudflare.Env>>(
  namespace: DurableObjectNamespace<Object>,
  options: { sleepAfter: string },
): SandboxHandle<Object> {
  const never = options.sleepAfter === "never";
  const bare = namespace.get(namespace.idFromName(SANDBOX_NAME));
  let told: ReturnType<typeof getSandbox<Object>> | undefined;
  const tell = () =>
    (told ??= getSandbox(namespace, SANDBOX_NAME, {
      // keepAlive is stored by the object: leaving "never" again takes an explicit false.
      keepAlive: never,
      ...(never ? {} : { sleepAfter: options.sleepAfter }),
    }));
  return {
    object: new Proxy(bare, {
      get(target, method) {
        tell();
        return Reflect.get(target, method, target);
      },
    }),
    bare,
    async socket(port) {
      const request = new Request("http://localhost/", { headers: { upgrade: "websocket", connection: "Upgrade" } });
      const { webSocket, status } = await tell().wsConnect(request, port);
      if (!webSocket)
        throw new Failure("unavailable", "The Moltbot's gateway refused the connection.", {
          cause: `status ${status}`,
        });
      webSocket.accept();
      return webSocket;
    },
    fetch: (port, path, init) => tell().containerFetch(new Request(`http://localhost${path}`, init), port),
  };
}
