import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type Pages, servePages } from "./pages.ts";
import { type BridgeStack, bridgeStack } from "./stack.ts";

const answerSchema = z.object({
  id: z.number().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
});
type Answer = z.output<typeof answerSchema>;

/** Of /etc/passwd on every machine. */
const SECRET = "root:";

let stack: BridgeStack;
let pages: Pages;
let socket: WebSocket;
let lastId = 0;
/** Flattened session of a page. */
let sessionId: string;

beforeAll(async () => {
  pages = await servePages();
  stack = await bridgeStack();
  socket = new WebSocket(`${stack.url.replace("http", "ws")}/devtools/browser/moltbot`);
  await once(socket, "open");
  const { result: opened } = await ask("Target.createTarget", { url: pages.url });
  const { result: attached } = await ask("Target.attachToTarget", { targetId: opened?.targetId, flatten: true });
  sessionId = z.string().parse(attached?.sessionId);
  await ask("Page.enable", {}, sessionId);
});

afterAll(async () => {
  socket?.terminate();
  await stack?.close();
  await pages?.close();
});

/** Sends the text as it is; the answer is the first with the id, or the first without any. */
function send(text: string, id: number): Promise<Answer> {
  return new Promise((resolve) => {
    const listen = (data: Buffer) => {
      const answer = answerSchema.parse(JSON.parse(data.toString()));
      if (answer.id !== id && !(answer.id === undefined && answer.error)) return;
      socket.off("message", listen);
      resolve(answer);
    };
    socket.on("message", listen);
    socket.send(text);
  });
}

function ask(method: string, params: Record<string, unknown> = {}, session?: string): Promise<Answer> {
  lastId += 1;
  return send(JSON.stringify({ id: lastId, method, params, ...(session ? { sessionId: session } : {}) }), lastId);
}

async function evaluate(expression: string): Promise<unknown> {
  const { result, error } = await ask(
    "Runtime.evaluate",
    { expression, awaitPromise: true, returnByValue: true },
    sessionId,
  );
  if (error) throw new Error(error.message);
  return z.object({ value: z.unknown().optional() }).parse(result?.result).value;
}

async function goto(url: string): Promise<void> {
  await ask("Page.navigate", { url }, sessionId);
  await expect.poll(() => evaluate("document.readyState"), { timeout: 30_000 }).toBe("complete");
}

const REFUSED = /^Refused on this machine/;

describe("a client of the browser on a user's machine", () => {
  it.each([
    ["Page.navigate", { url: "file:///etc/passwd" }],
    ["Page.navigate", { url: " \tFI\nLE:///etc/passwd" }],
    ["Page.navigate", { url: "view-source:file:///etc/passwd" }],
    ["Page.navigate", { url: "chrome://settings" }],
    ["Page.navigate", { url: "devtools://devtools/bundled/inspector.html" }],
    ["Page.navigate", { url: "filesystem:file:///etc/passwd" }],
    ["Target.createTarget", { url: "file:///etc/passwd" }],
    ["Network.loadNetworkResource", { url: "file:///etc/passwd", options: {} }],
    ["Fetch.continueRequest", { requestId: "1", url: "file:///etc/passwd" }],
    ["DOM.setFileInputFiles", { files: ["/etc/passwd"], nodeId: 1 }],
    ["Input.dispatchDragEvent", { type: "drop", x: 1, y: 1, data: { items: [], files: ["/etc/passwd"] } }],
    ["Target.exposeDevToolsProtocol", { targetId: "1" }],
    ["Target.createBrowserContext", { proxyServer: "http://127.0.0.1:1" }],
    ["Target.createBrowserContext", { proxyBypassList: "<-loopback>;*" }],
    ["Target.createBrowserContext", { originsWithUniversalNetworkAccess: ["https://a.test"] }],
    ["Tethering.bind", { port: 9229 }],
    ["Extensions.loadUnpacked", { path: "/tmp" }],
    ["PWA.install", { manifestId: "https://a.test" }],
    ["Tracing.start", { perfettoConfig: "AAAA" }],
    [
      "Target.sendMessageToTarget",
      { message: '{"id":1,"method":"Page.navigate","params":{"url":"file:///etc/passwd"}}' },
    ],
  ])("is refused %s %j", async (method, params) => {
    expect((await ask(method, params)).error?.message).toMatch(REFUSED);
    expect((await ask(method, params, sessionId)).error?.message).toMatch(REFUSED);
  });

  it("is refused a method whose name is written in escapes", async () => {
    const text = String.raw`{"id":90001,"\u006dethod":"D\u004fM.setFileInputFiles","params":{"f\u0069les":["/etc/passwd"]}}`;
    expect((await send(text, 90_001)).error?.message).toMatch(REFUSED);
  });

  it("is refused what a second key of the same name would hide", async () => {
    const hidden =
      '{"id":90002,"method":"Browser.getVersion","method":"DOM.setFileInputFiles","params":{"files":["/a"]}}';
    expect((await send(hidden, 90_002)).error?.message).toMatch(REFUSED);
    // The other way round the browser gets the one that was looked at, and nothing of the other.
    const shown = '{"id":90003,"method":"DOM.setFileInputFiles","method":"Browser.getVersion","params":{}}';
    expect((await send(shown, 90_003)).result).toHaveProperty("product");
  });

  it("cannot send messages in batches, or what is not JSON", async () => {
    for (const text of ['[{"id":90004,"method":"Browser.getVersion"}]', "{", "null", '{"id":"1","method":5}']) {
      expect((await send(text, 90_004)).error?.message).toBe("Not a DevTools message.");
    }
  });

  it("has nothing written by a download, wherever it asks for it", async () => {
    const answer = await ask("Browser.setDownloadBehavior", {
      behavior: "allow",
      downloadPath: "/tmp",
      eventsEnabled: true,
    });
    expect(answer.error).toBeUndefined();
    const states: unknown[] = [];
    socket.on("message", (data: Buffer) => {
      const { method, params } = z
        .object({ method: z.string().optional(), params: z.object({ state: z.string() }).optional().catch(undefined) })
        .parse(JSON.parse(data.toString()));
      if (method === "Browser.downloadProgress") states.push(params?.state);
    });
    await goto(pages.url);
    await evaluate("document.querySelector('#download').click()");
    await expect.poll(() => states, { timeout: 30_000 }).toContain("canceled");
    expect(states).not.toContain("completed");
  });
});

describe("a page in the browser on a user's machine", () => {
  it("reads no file, by whatever means", async () => {
    const attempts = [
      "fetch('file:///etc/passwd').then(r => r.text())",
      "new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done(x.responseText); x.onerror = () => done('no'); x.open('GET', 'file:///etc/passwd'); x.send(); })",
      "new Promise((done) => { const f = document.createElement('iframe'); f.onload = () => done(f.contentDocument?.body.innerText); f.src = 'file:///etc/passwd'; document.body.append(f); setTimeout(done, 2000, 'no'); })",
      "import('file:///etc/passwd')",
      "(window.open('file:///etc/passwd')?.document.body.innerText)",
    ];
    for (const start of [pages.url, "data:text/html,<body>data", "about:blank"]) {
      await goto(start);
      for (const attempt of attempts) {
        const read = await evaluate(`Promise.resolve().then(() => ${attempt}).catch(() => "no").then(String)`);
        expect(read, `${start} ${attempt}`).not.toContain(SECRET);
      }
    }
  });

  it("goes to no private address: by redirect, popup, frame, fetch or another way to write it", async () => {
    const { port } = pages;
    const before = pages.asked.length;
    const addresses = [
      `http://127.0.0.1:${port}/x`,
      `http://2130706433:${port}/x`,
      `http://0x7f.1:${port}/x`,
      `http://0177.0.0.1:${port}/x`,
      `http://127.1:${port}/x`,
      `http://[::1]:${port}/x`,
      `http://[::ffff:127.0.0.1]:${port}/x`,
      `http://[::ffff:7f00:1]:${port}/x`,
      `http://0.0.0.0:${port}/x`,
      `http://10.0.0.1:${port}/x`,
      `http://169.254.169.254/latest/meta-data`,
    ];
    for (const address of addresses) {
      await goto(address);
      expect(String(await evaluate("document.body.innerText")), address).toContain("is not a public address");
    }
    await goto(`${pages.url}/go?to=${encodeURIComponent(`${pages.forbiddenUrl}/x`)}`);
    expect(String(await evaluate("document.body.innerText"))).toContain("is not a public address");
    await goto(pages.url);
    const target = JSON.stringify(`${pages.forbiddenUrl}/x`);
    await evaluate(`fetch(${target}, { mode: "no-cors" }).catch(() => undefined).then(() => "")`);
    await evaluate(`navigator.sendBeacon(${target}, "x")`);
    await evaluate(`window.open(${target}); ""`);
    await evaluate(
      `new Promise((done) => { const f = document.createElement("iframe"); f.onload = done; f.src = ${target}; document.body.append(f); }).then(() => "")`,
    );
    expect(pages.asked.slice(before).filter((path) => path.startsWith("/x"))).toEqual([]);
  });

  it("opens no WebSocket to a private address, and one to where it may", async () => {
    await goto(pages.url);
    expect(await opens(pages.forbiddenUrl.replace("http", "ws"))).toBe("error");
    expect(pages.upgrades()).toBe(0);
    expect(await opens(pages.url.replace("http", "ws"))).toBe("open");
    expect(pages.upgrades()).toBe(1);
  });

  it("sends nothing past the proxy by WebRTC", async () => {
    const udp = createSocket("udp4");
    let packets = 0;
    udp.on("message", () => (packets += 1));
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    try {
      await goto(pages.url);
      const stun = `stun:127.0.0.1:${udp.address().port}`;
      const gathered = await evaluate(`new Promise(async (done) => {
        const p = new RTCPeerConnection({ iceServers: [{ urls: ${JSON.stringify(stun)} }] });
        const found = [];
        p.onicecandidate = ({ candidate }) => candidate ? found.push(candidate.candidate) : done(found);
        p.createDataChannel("x");
        await p.setLocalDescription(await p.createOffer());
        setTimeout(done, 8000, found);
      })`);
      expect(gathered).toEqual([]);
      expect(packets).toBe(0);
    } finally {
      udp.close();
    }
  });
});

/** What became of a WebSocket that the page opens: "open" or "error". */
function opens(url: string) {
  return evaluate(
    `new Promise((done) => { const s = new WebSocket(${JSON.stringify(url)}); s.onopen = () => done("open"); s.onerror = () => done("error"); })`,
  );
}
