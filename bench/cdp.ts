import { once } from "node:events";
import { WebSocket } from "ws";
import { z } from "zod";
import { bridgeStack } from "../test/bridge/stack.ts";
import { type Comparison, compare } from "./measure.ts";

const PIPELINED = 200;

const answerSchema = z.object({ id: z.number().optional(), result: z.record(z.string(), z.unknown()).optional() });

interface Page {
  ask(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): void;
}

/**
 * The bridge against a socket to Chromium itself: from the Worker on (object, screen, binding), and all the way from the
 * port in the container, which on one machine is two processes more: the port, and the door in front of the Worker. Beside it
 * what the way is made of without the bridge: the development server's proxy, and the local binding.
 */
export async function benchCdp(): Promise<Comparison[]> {
  const stack = await bridgeStack();
  try {
    const worker = `${stack.workerUrl.replace("http", "ws")}/bridge/cdp/devtools/browser/moltbot`;
    const bridge = await openPage(worker, stack.token);
    const inner = await openPage(
      `${(await stack.innerUrl()).replace("http", "ws")}/bridge/cdp/devtools/browser/moltbot`,
      stack.token,
    );
    const port = await openPage(`${stack.url.replace("http", "ws")}/devtools/browser/moltbot`);
    const direct = await openPage(await stack.directUrl());
    const binding = await openPage(`${stack.workerUrl.replace("http", "ws")}/binding`);
    const rows: Comparison[] = [];
    const evaluate = (page: Page) => page.ask("Runtime.evaluate", { expression: "6 * 7" });
    const pipelined = (page: Page) => Promise.all(Array.from({ length: PIPELINED }, () => evaluate(page)));
    const screenshot = (page: Page) => page.ask("Page.captureScreenshot", { format: "png" });
    const pairs = [
      { name: "Runtime.evaluate by the bridge : directly", target: 2, rounds: 400, ours: inner, work: evaluate },
      {
        name: "Runtime.evaluate by the bridge behind the development server's proxy : directly",
        target: 2,
        rounds: 400,
        ours: bridge,
        work: evaluate,
      },
      {
        name: "Runtime.evaluate by the bridge : by the bare binding",
        target: 1.5,
        rounds: 400,
        ours: bridge,
        peer: binding,
        work: evaluate,
      },
      {
        name: "Runtime.evaluate from the container's port : directly",
        target: 2,
        rounds: 400,
        ours: port,
        work: evaluate,
      },
      {
        name: `${PIPELINED} of them at once by the bridge : directly`,
        target: 2.5,
        rounds: 20,
        ours: inner,
        work: pipelined,
      },
      {
        name: `${PIPELINED} of them at once by the bridge behind the development server's proxy : directly`,
        target: 2.5,
        rounds: 20,
        ours: bridge,
        work: pipelined,
      },
      {
        name: `${PIPELINED} of them at once by the bridge : by the bare binding`,
        target: 1.5,
        rounds: 20,
        ours: bridge,
        peer: binding,
        work: pipelined,
      },
      {
        name: "Page.captureScreenshot by the bridge : directly",
        target: 1.1,
        rounds: 30,
        ours: bridge,
        work: screenshot,
      },
    ];
    for (const { name, target, rounds, ours, peer = direct, work } of pairs) {
      // The page that is painted must be the one in front.
      const inFront = async (page: Page) => {
        if (work === screenshot) await page.ask("Page.bringToFront", {});
        return await work(page);
      };
      rows.push(await compare({ name, target, rounds, ours: () => inFront(ours), peer: () => inFront(peer) }));
    }
    for (const page of [bridge, inner, port, direct, binding]) page.close();
    return rows;
  } finally {
    await stack.close();
  }
}

async function openPage(url: string, token?: string): Promise<Page> {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  await once(socket, "open");
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  let lastId = 0;
  let sessionId: string | undefined;
  socket.on("message", (data: Buffer) => {
    const { id, result } = answerSchema.parse(JSON.parse(data.toString()));
    if (id === undefined) return;
    waiting.get(id)?.(result ?? {});
    waiting.delete(id);
  });
  const ask: Page["ask"] = (method, params) => {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  };
  const html = encodeURIComponent("<h1>A page</h1>".repeat(100));
  const { targetId } = await ask("Target.createTarget", { url: `data:text/html,${html}` });
  const attached = await ask("Target.attachToTarget", { targetId, flatten: true });
  sessionId = z.string().parse(attached.sessionId);
  return { ask, close: () => socket.terminate() };
}
