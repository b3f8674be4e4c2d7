/** Must match the headers in tunnel.ts, which is Node's and cannot be imported into workerd. */
const TOKEN_HEADER = "x-container-host-token";
const AUTHORITY_HEADER = "x-container-host-authority";
const ERROR_HEADER = "x-container-host-error";

/** What `Container` of @cloudflare/containers looks for, in lower case, in the text of an error. */
const NOT_LISTENING = "the container is not listening";
const EXITED_WITH = "container exited with unexpected exit code:";
const SIGNALLED = "runtime signalled the container to exit:";

export interface StandInContainer extends Container {
  /**
   * Asks the host whether the jail runs already: it does after the Durable Object was evicted, or the Worker restarted.
   * To be awaited before the object handles anything, in `ctx.blockConcurrencyWhile`.
   */
  attach(): Promise<void>;
}

/**
 * A stand-in for `ctx.container` whose container is a jail of the container host at `hostUrl`.
 *
 * `running` is synchronous while the truth is a request away. Until `attach` has settled it is true, so that the
 * constructor of `Container` takes a monitor as it does in production; if there turns out to be no jail, that monitor
 * stays pending, which is what nobody having been told means.
 */
export function standInContainer(options: { hostUrl: string; token: string; id: string }): StandInContainer {
  const base = `${options.hostUrl}/containers/${options.id}`;
  let running = true;
  /** Rejects if the jail could not be started. */
  let started: Promise<void> = Promise.resolve();
  let exited: Promise<void> | undefined;
  const attached = Promise.withResolvers<void>();

  async function call(action: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${base}/${action}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { [TOKEN_HEADER]: options.token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Error(`The container host answered ${action} with ${response.status}`);
  }

  async function exit(): Promise<void> {
    const { exitCode } = await (await call("monitor")).json<{ exitCode: number }>();
    if (exitCode === 0) return;
    // Above 128: the number of the signal that ended it.
    throw new Error(exitCode > 128 ? `${SIGNALLED} ${exitCode - 128}` : `${EXITED_WITH} ${exitCode}`);
  }

  function follow(start: Promise<void>): void {
    running = true;
    started = start;
    const following = start.then(exit).finally(() => {
      if (exited === following) running = false;
    });
    exited = following;
    // Whoever cares has it from monitor().
    following.catch(() => undefined);
  }

  async function attach(): Promise<void> {
    const status = await (await call("status")).json<{ running: boolean }>();
    if (status.running) follow(Promise.resolve());
    else running = false;
    attached.resolve();
  }

  async function fetchPort(port: number, request: Request): Promise<Response> {
    if (!running) throw new Error("the container is not running, consider calling start()");
    await started;
    const url = new URL(request.url);
    const inside = new Request(`${base}/ports/${port}${url.pathname}${url.search}`, request);
    inside.headers.set(TOKEN_HEADER, options.token);
    inside.headers.set(AUTHORITY_HEADER, url.host);
    // A redirect is for the caller: followed here, it would lead to the container host.
    const response = await fetch(inside, { redirect: "manual", signal: request.signal });
    const error = response.headers.get(ERROR_HEADER);
    if (error === null) return response;
    await response.body?.cancel();
    if (error === "not-listening") throw new Error(`${NOT_LISTENING} in the TCP address 127.0.0.1:${port}`);
    throw new Error(`the container cannot be reached on port ${port}: ${error}`);
  }

  return {
    get running() {
      return running;
    },
    images: {},
    attach,
    start(startup) {
      if (running) throw new Error("start() cannot be called on a container that is already running");
      const { env = {}, entrypoint } = startup ?? {};
      follow(call("start", { env, ...(entrypoint === undefined ? {} : { entrypoint }) }).then(() => undefined));
    },
    monitor() {
      // Never asks the host itself: what the constructor asks outside the block that runs attach is answered after it.
      return exited ?? attached.promise.then(() => exited ?? new Promise<void>(() => undefined));
    },
    async destroy() {
      await call("destroy", {});
      running = false;
    },
    signal(signal) {
      call("signal", { signal }).catch((error: unknown) => console.error("container signal:", error));
    },
    getTcpPort(port) {
      return {
        fetch: (input: RequestInfo | URL, init?: RequestInit) => fetchPort(port, new Request(input, init)),
        connect: () => unsupported("A TCP connection to a port"),
      };
    },
    // The jail has no network to intercept: what it may reach goes through the host's bridge and egress proxy.
    interceptOutboundHttp: async () => undefined,
    interceptAllOutboundHttp: async () => undefined,
    interceptOutboundHttps: async () => undefined,
    setInactivityTimeout: async () => undefined,
    inspect: async () => null,
    snapshotContainer: () => unsupported("A snapshot"),
    exec: () => unsupported("exec()"),
  };
}

function unsupported(what: string): never {
  throw new Error(`${what} is not part of the container on one machine`);
}
