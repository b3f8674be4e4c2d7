import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";

const FOLDER = join(import.meta.dirname, "pages");
/** Served as they are, by their names. */
const HELD = new Set(["form", "iframes", "inner", "shadow", "dialogs", "endless", "popup", "tricks", "moving"]);

const address = z.object({ port: z.number() });

/** Pages like those of the web, on loopback under two names: one site is not the other. */
export interface Pages {
  url: string;
  /** The same pages as another site. */
  other: string;
  /** `host:port` of both. */
  hosts: string[];
  /** Requests that came for a path. */
  asked(path: string): number;
  close(): Promise<void>;
}

export async function servePages(): Promise<Pages> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://pages");
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
    void answer(request, response, pathname, other);
  });
  server.on("upgrade", (_request, socket) => {
    counts.set("upgrade", (counts.get("upgrade") ?? 0) + 1);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = address.parse(server.address());
  const other = `http://localhost:${port}`;
  return {
    url: `http://127.0.0.1:${port}`,
    other,
    hosts: [`127.0.0.1:${port}`, `localhost:${port}`],
    asked: (path) => counts.get(path) ?? 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, path: string, other: string): Promise<void> {
  const html = (content: string, status = 200) =>
    response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(content);
  const name = path.slice(1);
  if (HELD.has(name)) {
    html(readFileSync(join(FOLDER, `${name}.html`), "utf8").replaceAll("{{other}}", other));
    return;
  }
  switch (path) {
    case "/shop":
      return void html(shop());
    case "/admin":
      return void html(admin());
    case "/article":
      return void html(article());
    case "/large":
      return void html(`<title>Large</title><h1>Large</h1><!--${"x".repeat(30_000_000)}--><button>End</button>`);
    case "/greets":
      return void html("<title>Greets</title><script>alert('Welcome')</script><h1>Come in</h1>");
    case "/nags":
      return void html(`<title>Nags</title><button onclick="for (;;) alert('Again')">Nag</button>`);
    case "/framed-dialogs":
      return void html(`<title>Framed</title><iframe src="/dialogs" width="600" height="400"></iframe>`);
    case "/noise":
      // Nothing is harder to make small.
      return void html(`<title>Noise</title><style>body{margin:0}</style><canvas id=c width=2700 height=2300></canvas><script>
const x = c.getContext("2d"), d = x.createImageData(2700, 2300), w = new Uint32Array(d.data.buffer);
for (let i = 0, s = 1; i < w.length; i++) { s ^= s << 13; s ^= s >>> 17; s ^= s << 5; w[i] = s | 0xff000000; }
x.putImageData(d, 0, 0);</script>`);
    case "/said":
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      return void response.end(new URL(request.url ?? "/", "http://pages").searchParams.get("text") ?? "");
    case "/slow":
      response.writeHead(200, { "content-type": "text/html" });
      response.write("<title>Slow</title><h1>Slow</h1><p>First words</p>");
      request.once("close", () => response.end());
      return;
    case "/to-private":
      return void response.writeHead(302, { location: "http://10.1.2.3/inside" }).end();
    case "/echo": {
      const body = await text(request);
      const rows = [...new URLSearchParams(body)].map(([key, value]) => `<li>${key} is ${value}</li>`);
      return void html(`<title>Echo</title><h1>Thank you</h1><ul>${rows.join("")}</ul>`);
    }
    case "/file.csv":
      response.writeHead(200, {
        "content-type": "text/csv",
        "content-disposition": 'attachment; filename="../list.csv"',
      });
      return void response.end("name,count\nspade,3\n");
    case "/file.bin":
      response.writeHead(200, { "content-type": "application/octet-stream", "set-cookie": "seen=1" });
      return void response.end(Buffer.alloc(3_000_000, 7));
    default:
      return void html("<title>Missing</title><h1>Not here</h1>", 404);
  }
}

function layout(title: string, main: string): string {
  const links = ["Home", "News", "Shop", "Help", "About us", "Contact"].map(
    (name) => `<li><a href="/${name}">${name}</a></li>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>
<header><nav aria-label="Main"><ul>${links.join("")}</ul></nav><form role="search"><input type="search" aria-label="Search"><button>Go</button></form></header>
<main><h1>${title}</h1>${main}</main><footer><p>© Held pages</p><a href="/privacy">Privacy</a></footer></body></html>`;
}

function shop(): string {
  const cards = Array.from(
    { length: 60 },
    (
      _,
      n,
    ) => `<article class="card"><a href="/item/${n}"><img alt="Picture of thing ${n}" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="80" height="80"></a>
<h3><a href="/item/${n}">Thing number ${n}</a></h3><p class="price"><span>€</span><span>${(n * 1.37 + 4).toFixed(2)}</span></p>
<p>A useful thing of kind ${n % 7}, for the house and the garden.</p><div>★★★★☆ <a href="/item/${n}#reviews">${n * 3} reviews</a></div>
<button data-n="${n}">Add to cart</button> <button aria-label="Remember thing ${n}">♡</button></article>`,
  );
  return layout(
    "Shop",
    `<p role="status" id="cart">Cart: 0</p><label>Sort <select><option>Price</option><option>Name</option></select></label>
<div style="display:grid;grid-template-columns:repeat(4,1fr)">${cards.join("")}</div>
<script>let n = 0; document.addEventListener("click", ({ target }) => { if (target.dataset.n) document.getElementById("cart").textContent = "Cart: " + ++n; });</script>`,
  );
}

function admin(): string {
  const rows = Array.from(
    { length: 200 },
    (_, n) =>
      `<tr><td><input type="checkbox" aria-label="Select ${n}"></td><td><a href="/user/${n}">User ${n}</a></td><td>user${n}@example.com</td><td>${["Admin", "Editor", "Guest"][n % 3]}</td><td>2026-0${(n % 9) + 1}-11</td><td><button>Edit</button> <button>Delete</button></td></tr>`,
  );
  return layout(
    "Users",
    `<table><thead><tr><th></th><th>Name</th><th>E-mail</th><th>Role</th><th>Since</th><th>Actions</th></tr></thead><tbody>${rows.join("")}</tbody></table>`,
  );
}

function article(): string {
  const sentence =
    "The river turns twice before it meets the sea, and each turn has a name that only the ferrymen still use.";
  const sections = Array.from({ length: 40 }, (_, n) => {
    const paragraphs = Array.from(
      { length: 8 },
      (__, p) =>
        `<p>${sentence} In <em>part ${n}.${p}</em> the <a href="/note/${n}-${p}">note ${n}-${p}</a> tells more. ${sentence} ${sentence}</p>`,
    );
    return `<h2>Chapter ${n}</h2>${paragraphs.join("")}<ul><li>First point of ${n}</li><li>Second <strong>point</strong></li></ul>`;
  });
  return layout("The long river", `<article>${sections.join("")}</article>`);
}
