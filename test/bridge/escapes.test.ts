import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type DevTools, openDevTools } from "./devtools.ts";
import { type Pages, servePages } from "./pages.ts";
import { type BridgeStack, bridgeStack } from "./stack.ts";

let stack: BridgeStack;
let pages: Pages;
let devtools: DevTools;

beforeAll(async () => {
  pages = await servePages();
  stack = await bridgeStack();
  devtools = await openDevTools(stack.url, pages.url);
});

afterAll(async () => {
  devtools?.close();
  await stack?.close();
  await pages?.close();
});

const REFUSED = /^Refused on this machine/;
/** There is such a file in the browser's jail, so that what reads it has read something. */
const FILE = "file:///etc/fonts.conf";
const IN_FILE = "fontconfig";

describe("a client of the browser on a user's machine", () => {
  it.each([
    ["Page.navigate", { url: "file:///etc/passwd" }],
    ["Page.navigate", { url: " \tFI\nLE:///etc/passwd" }],
    ["Page.navigate", { url: "view-source:file:///etc/passwd" }],
    ["Page.navigate", { url: "view-source:https://example.com/" }],
    ["Page.navigate", { url: "chrome://settings" }],
    ["Page.navigate", { url: "about:version" }],
    ["Page.navigate", { url: "About:Inspect" }],
    ["Page.navigate", { url: "devtools://devtools/bundled/inspector.html" }],
    ["Page.navigate", { url: "filesystem:file:///etc/passwd" }],
    ["Target.createTarget", { url: "file:///etc/passwd" }],
    ["Target.createTarget", { url: "about:settings" }],
    ["Network.loadNetworkResource", { url: "file:///etc/passwd", options: {} }],
    ["Fetch.continueRequest", { requestId: "1", url: "file:///etc/passwd" }],
    ["DOM.setFileInputFiles", { files: ["/etc/passwd"], nodeId: 1 }],
    ["DOM.setFileInputFiles", { files: [] }],
    ["Input.dispatchDragEvent", { type: "drop", x: 1, y: 1, data: { items: [], files: ["/etc/passwd"] } }],
    ["Target.exposeDevToolsProtocol", { targetId: "1" }],
    // The browser itself would look for DevTools there, past the proxy.
    ["Target.setRemoteLocations", { locations: [{ host: "127.0.0.1", port: 9229 }] }],
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
    expect((await devtools.ask(method, params)).error?.message).toMatch(REFUSED);
    expect((await devtools.ask(method, params, devtools.sessionId)).error?.message).toMatch(REFUSED);
  });

  it("is refused the same in every session there is: flattened, of the browser itself, and one in another", async () => {
    const { result } = await devtools.ask("Target.attachToBrowserTarget");
    const ofBrowser = z.string().parse(result?.sessionId);
    const files = { files: ["/etc/passwd"], nodeId: 1 };
    expect((await devtools.ask("DOM.setFileInputFiles", files, ofBrowser)).error?.message).toMatch(REFUSED);
    expect((await devtools.ask("Target.createTarget", { url: FILE }, ofBrowser)).error?.message).toMatch(REFUSED);

    // A session that is not flattened is spoken to by messages in messages.
    const { result: opened } = await devtools.ask("Target.createTarget", { url: pages.url });
    const { result: attached } = await devtools.ask("Target.attachToTarget", { targetId: opened?.targetId });
    const { sessionId } = z.object({ sessionId: z.string() }).parse(attached);
    const inner = { id: 1, method: "DOM.setFileInputFiles", params: files };
    const once = wrapped(inner, sessionId);
    const twice = wrapped({ id: 2, method: "Target.sendMessageToTarget", params: once }, sessionId);
    for (const params of [once, twice]) {
      expect((await devtools.ask("Target.sendMessageToTarget", params)).error?.message).toMatch(REFUSED);
    }
    const allowed = wrapped({ id: 3, method: "Runtime.evaluate", params: { expression: "6 * 7" } }, sessionId);
    expect((await devtools.ask("Target.sendMessageToTarget", allowed)).error).toBeUndefined();
    await expect.poll(() => JSON.stringify(devtools.heard.slice(-5))).toContain("42");
    for (const batch of [[inner], { ...inner, method: [inner.method] }]) {
      const params = wrapped(batch, sessionId);
      expect((await devtools.ask("Target.sendMessageToTarget", params)).error?.message).toMatch(REFUSED);
    }
  });

  it("is refused a method whose name is written in escapes", async () => {
    const text = String.raw`{"id":90001,"\u006dethod":"D\u004fM.setFileInputFiles","params":{"f\u0069les":["/etc/passwd"]}}`;
    expect((await devtools.send(text, 90_001)).error?.message).toMatch(REFUSED);
    const address = String.raw`{"id":90005,"method":"Page.navigate","params":{"\u0075rl":"\u0066ile:///etc/passwd"},"sessionId":"${devtools.sessionId}"}`;
    expect((await devtools.send(address, 90_005)).error?.message).toMatch(REFUSED);
  });

  it("is refused what a second key of the same name would hide", async () => {
    const hidden =
      '{"id":90002,"method":"Browser.getVersion","method":"DOM.setFileInputFiles","params":{"files":["/a"]}}';
    expect((await devtools.send(hidden, 90_002)).error?.message).toMatch(REFUSED);
    // The other way round the browser gets the one that was looked at, and nothing of the other.
    const shown = '{"id":90003,"method":"DOM.setFileInputFiles","method":"Browser.getVersion","params":{}}';
    expect((await devtools.send(shown, 90_003)).result).toHaveProperty("product");
  });

  it("cannot send messages in batches, or what is not JSON", async () => {
    const batch = '[{"id":90004,"method":"DOM.setFileInputFiles","params":{"files":["/etc/passwd"]}}]';
    for (const text of ['[{"id":90004,"method":"Browser.getVersion"}]', batch, "{", "null", '{"id":"1","method":5}']) {
      expect((await devtools.send(text, 90_004)).error?.message).toBe("Not a DevTools message.");
    }
  });

  it.each([
    ["Browser.setDownloadBehavior", { behavior: "allow", downloadPath: "/tmp", eventsEnabled: true }, "browser"],
    ["Browser.setDownloadBehavior", { behavior: "allowAndName", downloadPath: "/tmp", eventsEnabled: true }, "browser"],
    ["Page.setDownloadBehavior", { behavior: "allow", downloadPath: "/tmp" }, "page"],
  ])("has nothing written by a download after %s %j", async (method, params, whose) => {
    await devtools.ask("Browser.setDownloadBehavior", { behavior: "default", eventsEnabled: true });
    const answer = await devtools.ask(method, params, whose === "page" ? devtools.sessionId : undefined);
    expect(answer.error).toBeUndefined();
    const before = devtools.heard.length;
    const states = () =>
      devtools.heard
        .slice(before)
        .flatMap(({ method: event, params: told }) => (event === "Browser.downloadProgress" ? [told?.state] : []));
    await devtools.goto(pages.url);
    await devtools.evaluate("document.querySelector('#download').click()");
    await expect.poll(states, { timeout: 30_000 }).toContain("canceled");
    expect(states()).not.toContain("completed");
  });

  it("gets no file by what it may do with requests, documents and worlds of a page", async () => {
    const { ask, evaluate, goto, heard, sessionId } = devtools;
    await goto(pages.url);
    const { result } = await ask("Page.getFrameTree", {}, sessionId);
    const { frameTree } = z.object({ frameTree: z.object({ frame: z.object({ id: z.string() }) }) }).parse(result);
    const frameId = frameTree.frame.id;
    // A world with access to everything is one with access to what the page has.
    const world = await ask("Page.createIsolatedWorld", { frameId, grantUniveralAccess: true }, sessionId);
    const expression = `fetch("${FILE}").then((answer) => answer.text()).catch(() => "no")`;
    const asked = { expression, awaitPromise: true, contextId: world.result?.executionContextId };
    const read = await ask("Runtime.evaluate", asked, sessionId);
    expect(JSON.stringify(read.result)).toContain('"no"');

    const loaded = await ask(
      "Network.loadNetworkResource",
      { frameId, url: `${pages.url}/go?to=${FILE}`, options: { disableCache: true, includeCredentials: true } },
      sessionId,
    );
    expect(loaded.result?.resource).toMatchObject({ success: false });

    await ask("Page.setDocumentContent", { frameId, html: `<iframe src="${FILE}"></iframe>` }, sessionId);
    const framed = `new Promise((done) => setTimeout(() => done(frames[0]?.document?.body?.innerText ?? ""), 500)).catch(String)`;
    expect(String(await evaluate(framed))).not.toContain(IN_FILE);

    await ask("Fetch.enable", { patterns: [{ urlPattern: "*redirected*" }] }, sessionId);
    const before = heard.length;
    const navigated = ask("Page.navigate", { url: `${pages.url}/redirected` }, sessionId);
    const paused = () => heard.slice(before).find(({ method }) => method === "Fetch.requestPaused")?.params?.requestId;
    await expect.poll(paused).toBeDefined();
    const responseHeaders = [{ name: "Location", value: FILE }];
    await ask("Fetch.fulfillRequest", { requestId: paused(), responseCode: 302, responseHeaders }, sessionId);
    await navigated;
    await ask("Fetch.disable", {}, sessionId);
    expect(String(await evaluate("document.documentElement.innerText"))).not.toContain(IN_FILE);
    expect(await evaluate("location.protocol")).not.toBe("file:");
  });
});

/** Parameters of a message in a message. */
function wrapped(message: unknown, sessionId: string) {
  return { sessionId, message: JSON.stringify(message) };
}
