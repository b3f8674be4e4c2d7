import { WebSocket as Socket } from "ws";
import { z } from "zod";
import type { GatewayAccess } from "../src/gateway/access.ts";
import { sendMessage } from "../src/gateway/chat.ts";
import { CHAT_SCOPES, connectGateway } from "../src/gateway/connect.ts";
import { createDevice } from "../src/gateway/device.ts";
import { readEvent } from "../src/gateway/events.ts";

const gatewaySchema = z.object({ token: z.string(), sandbox: z.string() });

export interface DirectChat {
  /** Resolves with the run's end. */
  send(message: string): Promise<void>;
  close(): void;
}

/** The gateway as a process of this machine reaches it: its port, past the Worker. */
export async function directAccess(worker: string, host: { url: string; token: string }): Promise<GatewayAccess> {
  const headers = { "x-container-host-token": host.token };
  const { token, sandbox } = gatewaySchema.parse(await (await fetch(`${worker}/bench/gateway`, { headers })).json());
  const port = `${host.url}/containers/${sandbox}/ports/18789`;
  return {
    ready: async () => ({ token }),
    socket: () => openSocket(`${port}/`, host.token),
    fetch: (path, init) => fetch(port + path, { ...init, headers: { ...Object(init?.headers), ...headers } }),
  };
}

export function openSocket(url: string, token: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new Socket(url.replace("http", "ws"), { headers: { "x-container-host-token": token } });
    socket.once("error", reject);
    // ws has the part of the browser's interface that the connection uses.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    socket.once("open", () => resolve(socket as unknown as WebSocket));
  });
}

/** The peer of chat_send: the same gateway's own `chat.send`, asked over a WebSocket of this process. */
export async function directChat(worker: string, host: { url: string; token: string }): Promise<DirectChat> {
  const ended = new Map<string, () => void>();
  const access = await directAccess(worker, host);
  const connection = await connectGateway(access, {
    device: await createDevice(),
    scopes: CHAT_SCOPES,
    onEvent(name, payload) {
      const event = readEvent(name, payload);
      if (event?.kind === "final") ended.get(event.runId)?.();
    },
  });
  return {
    async send(message) {
      const runId = crypto.randomUUID();
      const end = new Promise<void>((resolve) => ended.set(runId, resolve));
      await sendMessage(connection, { session: "agent:main:bench:direct", message, runId, attachments: [] });
      await end;
      ended.delete(runId);
    },
    close: () => connection.close(),
  };
}
