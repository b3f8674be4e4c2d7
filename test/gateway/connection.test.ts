import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { Failure } from "../../src/core/failure.ts";
import { CHAT_SCOPES, connectGateway } from "../../src/gateway/connect.ts";
import { createDevice } from "../../src/gateway/device.ts";
import { nodeAccess } from "./node-access.ts";
import { helloOk, scriptedGateway } from "./scripted-gateway.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function scripted(...args: Parameters<typeof scriptedGateway>) {
  const server = await scriptedGateway(...args);
  open.push(server);
  return server;
}

async function connected(server: Awaited<ReturnType<typeof scriptedGateway>>, signal?: AbortSignal) {
  const events: string[] = [];
  const connection = await connectGateway(nodeAccess(server), {
    device: await createDevice(),
    scopes: CHAT_SCOPES,
    onEvent: (event) => {
      events.push(event);
      if (event === "poison") throw new Failure("upstream", "A listener could not take it.");
    },
    ...(signal ? { signal } : {}),
  });
  return { connection, events };
}

function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "nothing was thrown",
    (error: unknown) => (error instanceof Failure ? error.code : error),
  );
}

describe("a connection to the gateway", () => {
  test("waits for a gateway that is still starting", async () => {
    let attempts = 0;
    const server = await scripted(({ id }, { send, socket }) => {
      attempts += 1;
      if (attempts === 3) {
        send(helloOk(id));
        return;
      }
      const error = { code: "UNAVAILABLE", message: "starting", retryable: true, retryAfterMs: 20 };
      send({ type: "res", id, ok: false, error });
      socket.close(1013);
    });
    const { connection } = await connected(server);
    expect(attempts).toBe(3);
    expect(connection.hello?.server.bootId).toBe("boot");
  });

  test("is not made with fewer rights than asked for", async () => {
    const server = await scripted(({ id }, { send }) => send(helloOk(id, { scopes: [] })));
    expect(await codeOf(connected(server))).toBe("forbidden");
    await expect.poll(() => server.sockets()).toBe(0);
  });

  test("is given up when the caller does not want it any more", async () => {
    const server = await scripted(() => {}, { silent: true });
    const caller = new AbortController();
    const attempt = codeOf(connected(server, caller.signal));
    setTimeout(() => caller.abort(new Failure("cancelled", "Gone.")), 50);
    expect(await attempt).toBe("cancelled");
    await expect.poll(() => server.sockets()).toBe(0);
  });

  test.each([
    ["a frame that is not JSON", "{"],
    ["a frame of no known type", '{"type":"what"}'],
    ["an event that its listener refuses", '{"type":"event","event":"poison","payload":{}}'],
  ])("ends on %s, with all that waits on it", async (_what, frame) => {
    const server = await scripted(({ id, method }, { send }) => send(method === "connect" ? helloOk(id) : frame));
    const { connection } = await connected(server);
    expect(await codeOf(connection.request("anything", {}, z.unknown()))).toBe("upstream");
    expect((await connection.ended).code).toBe("upstream");
    expect(connection.open).toBe(false);
    await expect.poll(() => server.closes).toEqual([4002]);
    expect(await codeOf(connection.request("anything", {}, z.unknown()))).toBe("upstream");
  });

  test("fails only the request whose answer is malformed", async () => {
    const server = await scripted(({ id, method }, { send }) =>
      send(method === "connect" ? helloOk(id) : { type: "res", id, ok: true, payload: { n: method } }),
    );
    const { connection } = await connected(server);
    expect(await codeOf(connection.request("one", {}, z.object({ n: z.number() })))).toBe("upstream");
    expect(await connection.request("two", {}, z.object({ n: z.string() }))).toEqual({ n: "two" });
  });

  test("fails what waits when the gateway goes", async () => {
    const server = await scripted(({ id, method }, { send, socket }) => {
      if (method === "connect") send(helloOk(id));
      else socket.close(1012);
    });
    const { connection } = await connected(server);
    expect(await codeOf(connection.request("anything", {}, z.unknown()))).toBe("unavailable");
    expect((await connection.ended).code).toBe("unavailable");
  });

  test("notices a gateway that says nothing any more", async () => {
    const server = await scripted(({ id }, { send }) => send(helloOk(id, { tick: 40 })));
    const { connection } = await connected(server);
    expect((await connection.ended).code).toBe("unavailable");
    await expect.poll(() => server.closes).toEqual([4000]);
  });

  test("gives up one request at its deadline and keeps the others", async () => {
    const server = await scripted(({ id, method }, { send }) => {
      if (method === "connect") send(helloOk(id));
      if (method === "quick") send({ type: "res", id, ok: true, payload: {} });
    });
    const { connection } = await connected(server);
    expect(await codeOf(connection.request("slow", {}, z.unknown(), { timeoutMs: 30 }))).toBe("timeout");
    await connection.request("quick", {}, z.unknown());
    connection.close();
    await expect.poll(() => server.closes).toEqual([1000]);
  });

  test("does not send what the gateway would not take", async () => {
    const server = await scripted(({ id }, { send }) => send(helloOk(id)));
    const { connection } = await connected(server);
    expect(await codeOf(connection.request("big", { text: "x".repeat(200_000) }, z.unknown()))).toBe("too_large");
    expect(connection.open).toBe(true);
  });
});
