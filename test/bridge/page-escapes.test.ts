import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DevTools, openDevTools } from "./devtools.ts";
import { type Pages, servePages } from "./pages.ts";
import { type BridgeStack, bridgeStack } from "./stack.ts";

/** Where the held pages are as if they were the public web's. */
const PUBLIC = "93.184.215.14";

let stack: BridgeStack;
let pages: Pages;
let devtools: DevTools;
/** The name server's answers in turn, the last one again and again. */
const answers = new Map<string, string[][]>();
/** Addresses and ports that the proxy has called. */
const dialled: string[] = [];

beforeAll(async () => {
  pages = await servePages();
  stack = await bridgeStack({
    network: {
      async resolve(host) {
        const left = answers.get(host);
        const [next] = left === undefined ? [] : left.length > 1 ? left.splice(0, 1) : left;
        return next ?? (await lookup(host, { all: true })).map(({ address }) => address);
      },
      dial(address, port) {
        dialled.push(`${address}:${port}`);
        return connect({ host: address === PUBLIC ? "127.0.0.1" : address, port, allowHalfOpen: true });
      },
    },
  });
  devtools = await openDevTools(stack.url, pages.url);
});

afterAll(async () => {
  devtools?.close();
  await stack?.close();
  await pages?.close();
});

const evaluate = (expression: string) => devtools.evaluate(expression);
const goto = (url: string) => devtools.goto(url);
const said = async () => String(await evaluate("document.body.innerText"));

/** Two files that there are in the browser's jail, and one that there is on every machine. */
const FILES = ["/etc/fonts.conf", "/usr/lib/os-release", "/etc/passwd"];
const SECRETS = /fontconfig|PRETTY_NAME|root:/;

/** Scripts that would read a file. */
const readings = (file: string) => [
  `fetch('${file}').then(r => r.text())`,
  `new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done(x.responseText); x.onerror = () => done('no'); x.open('GET', '${file}'); x.send(); })`,
  `new Promise((done) => { const f = document.createElement('iframe'); f.onload = () => done(f.contentDocument?.body.innerText); f.src = '${file}'; document.body.append(f); setTimeout(done, 500, 'no'); })`,
  `new Promise((done) => { const f = document.createElement('object'); f.onload = () => done(f.contentDocument?.body.innerText); f.data = '${file}'; document.body.append(f); setTimeout(done, 500, 'no'); })`,
  `import('${file}')`,
  `(window.open('${file}')?.document.body.innerText)`,
  `(window.open('view-source:${file}')?.document.body.innerText)`,
  `new Promise((done) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('${file}').then(r => r.text()).then(postMessage, () => postMessage('no'))"]))); w.onmessage = ({ data }) => done(data); w.onerror = () => done('no'); setTimeout(done, 1000, 'no'); })`,
];

/** Pages that would lead to one. */
const leads = (file: string) => [
  `<a id=go href="${file}">x</a><script>document.getElementById("go").click()</script>`,
  `<a id=go href="${file}" target=_blank>x</a><script>document.getElementById("go").click()</script>`,
  `<form id=go action="${file}"></form><script>document.getElementById("go").submit()</script>`,
  `<meta http-equiv=refresh content="0;url=${file}">`,
  `<script>location = "${file}"</script>`,
  `<script>location = "view-source:${file}"</script>`,
  `<script>history.pushState(0, "", "${file}")</script>`,
  `<iframe srcdoc='<script>top.location = "${file}"</script>'></iframe>`,
  `<iframe src='data:text/html,<iframe src="${file}"></iframe>'></iframe>`,
];

describe("a page in the browser on a user's machine", () => {
  it("reads no file, by whatever means", async () => {
    for (const start of [pages.url, "data:text/html,<body>data", "about:blank"]) {
      await goto(start);
      for (const attempt of FILES.flatMap((path) => readings(`file://${path}`))) {
        const read = await evaluate(`Promise.resolve().then(() => ${attempt}).catch(() => "no").then(String)`);
        expect(read, `${start} ${attempt}`).not.toMatch(SECRETS);
      }
    }
    await nothingOpened();
  });

  it("leads nobody to a file: neither a link, a form, a refresh nor a script, from data: or from the web", async () => {
    for (const html of leads(`file://${FILES[0]}`)) {
      for (const address of [
        `data:text/html,${encodeURIComponent(html)}`,
        `${pages.url}/given?html=${encodeURIComponent(html)}`,
      ]) {
        await goto(address);
        await new Promise((resolve) => setTimeout(resolve, 150));
        expect(await evaluate("location.protocol"), html).not.toMatch(/^(file|view-source|chrome):/);
        expect(await said(), html).not.toMatch(SECRETS);
      }
    }
    await nothingOpened();
  });

  it("goes to no private address: by redirect, popup, frame, fetch or another way to write it", async () => {
    const { port } = pages;
    const before = pages.asked.length;
    const addresses = [
      `http://127.0.0.1:${port}/x`,
      `http://2130706433:${port}/x`,
      `http://017700000001:${port}/x`,
      `http://0x7f000001:${port}/x`,
      `http://0x7f.1:${port}/x`,
      `http://0177.0.0.1:${port}/x`,
      `http://127.1:${port}/x`,
      `http://127.0.0.1.:${port}/x`,
      `http://①②⑦.⓪.⓪.①:${port}/x`,
      `http://[::1]:${port}/x`,
      `http://[::]:${port}/x`,
      `http://[::ffff:127.0.0.1]:${port}/x`,
      `http://[::ffff:7f00:1]:${port}/x`,
      `http://[64:ff9b::7f00:1]:${port}/x`,
      `http://[2002:7f00:1::]:${port}/x`,
      `http://0.0.0.0:${port}/x`,
      `http://0:${port}/x`,
      `http://10.0.0.1:${port}/x`,
      `http://169.254.169.254/latest/meta-data`,
      `http://[fd00:ec2::254]/latest/meta-data`,
    ];
    for (const address of addresses) {
      await goto(address);
      expect(await said(), address).toContain("is not a public address");
      await goto(`${pages.url}/go?to=${encodeURIComponent(address)}`);
      expect(await said(), `a redirect to ${address}`).toContain("is not a public address");
    }
    expect(pages.asked.slice(before).filter((path) => path.startsWith("/x"))).toEqual([]);
  });

  it("has nothing of a private address asked for by any of the ways that get a public one asked", async () => {
    const ways = (url: string): Record<string, string> => ({
      background: `document.body.style.backgroundImage = 'url("${url}background")'`,
      fetch: `fetch("${url}fetch", { mode: "no-cors" }).catch(() => 0)`,
      beacon: `navigator.sendBeacon("${url}beacon", "x")`,
      events: `new EventSource("${url}events")`,
      image: `new Image().src = "${url}image"`,
      frame: `document.body.append(Object.assign(document.createElement("iframe"), { src: "${url}frame" }))`,
      script: `document.body.append(Object.assign(document.createElement("script"), { src: "${url}script" }))`,
      style: `document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "${url}style" }))`,
      prefetch: `document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: "${url}prefetch" }))`,
      worker: `new Worker(URL.createObjectURL(new Blob(['fetch("${url}worker", { mode: "no-cors" })'])))`,
      redirect: `fetch("${pages.url}/go?to=${encodeURIComponent(`${url}redirect`)}", { mode: "no-cors" }).catch(() => 0)`,
      // Last: behind it the page is not painted, and what only painting asks for is not asked for.
      popup: `void window.open("${url}popup")`,
    });
    const came = async (base: string) => {
      await goto(pages.url);
      const before = pages.asked.length;
      for (const way of Object.values(ways(`${base}/way-`))) await evaluate(`${way}; ""`);
      return () => [...new Set(pages.asked.slice(before).flatMap((path) => /^\/way-(\w+)/.exec(path)?.[1] ?? []))];
    };
    const may = await came(pages.url);
    await expect.poll(() => may().toSorted()).toEqual(Object.keys(ways("")).toSorted());
    const mayNot = await came(pages.forbiddenUrl);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(mayNot()).toEqual([]);
  });

  it("opens no WebSocket to a private address, and one to where it may", async () => {
    await goto(pages.url);
    expect(await opens(pages.forbiddenUrl.replace("http", "ws"))).toBe("error");
    expect(await opens(`ws://[::ffff:127.0.0.1]:${pages.port}`)).toBe("error");
    expect(await opens(`ws://2130706433:${pages.port}`)).toBe("error");
    expect(pages.upgrades()).toBe(0);
    expect(await opens(pages.url.replace("http", "ws"))).toBe("open");
    expect(pages.upgrades()).toBe(1);
  });

  it("is dialled where it was found public, and no longer when its name leads to this machine", async () => {
    const { port } = pages;
    answers.set("rebinds.test", [[PUBLIC], ["127.0.0.1"]]);
    const before = { dialled: dialled.length, asked: pages.asked.length, upgrades: pages.upgrades() };
    await goto(`http://rebinds.test:${port}/form`);
    expect(await evaluate("document.title")).toBe("Form");
    // Its own origin is another machine now, of which the page could read everything.
    const again = 'fetch("/x-secret").then((answer) => answer.text())';
    expect(String(await evaluate(again))).toContain("is not a public address");
    expect(await opens(`ws://rebinds.test:${port}`)).toBe("error");
    await goto(`http://rebinds.test:${port}/x-secret`);
    expect(await said()).toContain("is not a public address");
    expect(dialled.slice(before.dialled)).toEqual([`${PUBLIC}:${port}`]);
    expect(pages.asked.slice(before.asked)).toEqual(["/form"]);
    expect(pages.upgrades()).toBe(before.upgrades);
  });

  it("has no name looked up again between the check and the call, however often the answer changes", async () => {
    const { port } = pages;
    const turns = 40;
    const flips = Array.from({ length: turns }, (_, turn) => [turn % 2 === 0 ? PUBLIC : "127.0.0.1"]);
    answers.set("flips.test", [[PUBLIC], ...flips]);
    answers.set("both.test", [[PUBLIC, "127.0.0.1"]]);
    answers.set("mapped.test", [["::ffff:127.0.0.1"]]);
    await goto(`http://flips.test:${port}/form`);
    const before = dialled.length;
    const fetched = await evaluate(
      `Promise.all(Array.from({ length: ${turns} }, (_, n) => fetch("/flip?" + n).then(({ status }) => status)))`,
    );
    expect(fetched).toEqual(expect.arrayContaining([200, 403]));
    for (const name of ["both.test", "mapped.test"]) {
      await goto(`http://${name}:${port}/form`);
      expect(await said()).toContain("is not a public address");
    }
    expect(new Set(dialled.slice(before))).toEqual(new Set([`${PUBLIC}:${port}`]));
  });

  it("sends nothing past the proxy by WebRTC, neither to ask who it is nor to a peer that is this machine", async () => {
    const udp = createSocket("udp4");
    let packets = 0;
    udp.on("message", () => (packets += 1));
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    try {
      await goto(pages.url);
      const { port } = udp.address();
      const peer = `candidate:1 1 udp 2113937151 127.0.0.1 ${port} typ host generation 0`;
      const gathered = await evaluate(`(async () => {
        const own = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:${port}" }] });
        const other = new RTCPeerConnection();
        const found = [];
        own.onicecandidate = ({ candidate }) => candidate && found.push(candidate.candidate);
        own.createDataChannel("x");
        await own.setLocalDescription(await own.createOffer());
        await other.setRemoteDescription(own.localDescription);
        await other.setLocalDescription(await other.createAnswer());
        await own.setRemoteDescription(other.localDescription);
        await own.addIceCandidate({ candidate: "${peer}", sdpMid: "0", sdpMLineIndex: 0 });
        await new Promise((done) => setTimeout(done, 2_000));
        return found;
      })()`);
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

/** No tab of the browser shows what is not the web's. */
async function nothingOpened(): Promise<void> {
  const { result } = await devtools.ask("Target.getTargets");
  expect(JSON.stringify(result)).not.toMatch(/"url":"(file|view-source|chrome|devtools):/);
}
