import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** What a page needs to be driven: a form, dialogs, a popup, a download, a large picture. */
const PAGES: Record<string, string> = {
  "/": `<title>Start</title><h1>Start</h1><a href="/form">form</a>
    <button id=popup onclick="window.open('/popup')">popup</button>
    <button id=alert onclick="document.title = 'answered ' + confirm('Sure?')">confirm</button>
    <a id=download href="/file.txt" download>download</a>`,
  "/form": `<title>Form</title><form action=/sent method=get><label>Name <input name=name></label>
    <label>Colour <select name=colour><option>red<option>blue</select></label>
    <label><input type=checkbox name=agree value=yes> Agree</label>
    <input type=file name=file id=file onchange="this.files[0].arrayBuffer().then(b => document.title = 'size ' + b.byteLength)">
    <button>Send</button></form>`,
  "/moving": `<title>Moving</title><p id=n>0<script>setInterval(() => n.textContent++, 50)</script>`,
  "/popup": `<title>Popup</title><h1>Popup</h1>`,
  "/noise": `<title>Noise</title><style>body{margin:0}</style><canvas id=c width=2700 height=2300></canvas><script>
    const x = c.getContext("2d"), d = x.createImageData(2700, 2300), w = new Uint32Array(d.data.buffer);
    for (let i = 0, s = 1; i < w.length; i++) { s ^= s << 13; s ^= s >>> 17; s ^= s << 5; w[i] = s | 0xff000000; }
    x.putImageData(d, 0, 0); document.title = "drawn";</script>`,
};

export interface Pages {
  /** By a name the policy proxy lets through. */
  url: string;
  /** By an address it does not. */
  forbiddenUrl: string;
  port: number;
  /** Paths, with their queries, that were asked for. */
  asked: string[];
  /** WebSocket handshakes that came. */
  upgrades(): number;
  close(): Promise<void>;
}

export async function servePages(): Promise<Pages> {
  const asked: string[] = [];
  let upgrades = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    asked.push(url.pathname + url.search);
    if (url.pathname === "/file.txt") {
      response.setHeader("content-disposition", 'attachment; filename="file.txt"');
      return void response.end("the file's content");
    }
    if (url.pathname === "/go")
      return void response
        .writeHead(302, { location: Buffer.from(url.searchParams.get("to") ?? "/").toString("latin1") })
        .end();
    // A page as a test writes it.
    const given = url.pathname === "/given" ? url.searchParams.get("html") : undefined;
    const page =
      given ?? PAGES[url.pathname] ?? `<title>${url.pathname}</title><p>${url.search.replaceAll("<", "&lt;")}</p>`;
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("access-control-allow-origin", "*");
    response.end(page);
  });
  server.on("upgrade", (request, socket) => {
    upgrades += 1;
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.on("error", () => socket.destroy());
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The pages have no port.");
  return {
    url: `http://localhost:${address.port}`,
    forbiddenUrl: `http://127.0.0.1:${address.port}`,
    port: address.port,
    asked,
    upgrades: () => upgrades,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
