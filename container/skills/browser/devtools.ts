/** A page of the browser behind the container's DevTools port, by nothing but what Node brings. */

const DEVTOOLS = "http://127.0.0.1:9222";
const ANSWER_WITHIN_MS = 60_000;
const LOADED_WITHIN_MS = 30_000;

export interface Size {
  width: number;
  height: number;
}

export interface DevToolsPage {
  ask(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  on(method: string, listener: (params: Record<string, unknown>) => void): void;
  /** Closes the connection, and the tab if it was opened for this. */
  close(): Promise<void>;
}

/** A tab by its id as it is, or a new one that shows the address and has loaded it. */
export async function openPage(target: string, size: Size | undefined): Promise<DevToolsPage> {
  const isAddress = URL.canParse(target);
  const id = isAddress ? await newTab() : target;
  const page = await connect(id, isAddress);
  try {
    await page.ask("Page.enable");
    await page.ask("Page.bringToFront");
    if (size) await page.ask("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
    if (isAddress) await load(page, target);
    return page;
  } catch (error) {
    await page.close();
    throw error;
  }
}

async function newTab(): Promise<string> {
  const response = await fetch(`${DEVTOOLS}/json/new?about:blank`, { method: "PUT" });
  const body: unknown = response.ok ? await response.json() : undefined;
  const id = text(body, "id");
  if (id === undefined) throw new Error(`The browser opens no page (${response.status}).`);
  return id;
}

async function connect(id: string, ours: boolean): Promise<DevToolsPage> {
  const socket = new WebSocket(`${DEVTOOLS.replace("http", "ws")}/devtools/page/${id}`);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`The browser has no page ${id}.`)));
  });
  const waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  const listeners = new Map<string, (params: Record<string, unknown>) => void>();
  let lastId = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = record(JSON.parse(String(data)));
    if (typeof message.method === "string") listeners.get(message.method)?.(record(message.params));
    const answer = typeof message.id === "number" ? waiting.get(message.id) : undefined;
    if (message.error) answer?.reject(new Error(text(message.error, "message") ?? "The browser refuses."));
    else answer?.resolve(record(message.result));
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("The browser has gone."));
  });
  return {
    async ask(method, params = {}) {
      lastId += 1;
      const answer = Promise.withResolvers<Record<string, unknown>>();
      const timer = setTimeout(
        () => answer.reject(new Error(`The browser does not answer ${method}.`)),
        ANSWER_WITHIN_MS,
      );
      waiting.set(lastId, answer);
      socket.send(JSON.stringify({ id: lastId, method, params }));
      return await answer.promise.finally(() => clearTimeout(timer));
    },
    on: (method, listener) => void listeners.set(method, listener),
    async close() {
      socket.close();
      if (ours) await fetch(`${DEVTOOLS}/json/close/${id}`).catch(() => undefined);
    },
  };
}

async function load(page: DevToolsPage, url: string): Promise<void> {
  const loaded = new Promise<void>((resolve) => page.on("Page.loadEventFired", () => resolve()));
  const { errorText } = await page.ask("Page.navigate", { url });
  if (typeof errorText === "string") throw new Error(`${url} does not open: ${errorText}`);
  // A page that never ends loading shows something all the same.
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([loaded, new Promise((resolve) => (timer = setTimeout(resolve, LOADED_WITHIN_MS)))]);
  clearTimeout(timer);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

export function text(value: unknown, name: string): string | undefined {
  const found = record(value)[name];
  return typeof found === "string" ? found : undefined;
}

/** "1280x720" */
export function parseSize(given: string): Size {
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(given) ?? [];
  if (width === undefined || height === undefined) throw new Error("--size is like 1280x720.");
  return { width: Number(width), height: Number(height) };
}
