import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { connect, type Session, signIn } from "./client.ts";

const bot = inject("bot");
let session: Session;
let server: Server;
let url: string;
/** The hosts that requests came for. */
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.host ?? "");
    response.writeHead(200, { "content-type": "text/html" }).end(`<title>Held</title><h1>Hello</h1>
<button onclick="document.querySelector('h1').textContent = 'Pressed'">Press</button>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The stack lets the browser reach this name, and no other private one.
  url = `http://localhost:${z.object({ port: z.number() }).parse(server.address()).port}/`;
  session = await connect(bot, await signIn(bot));
});

afterAll(async () => {
  await session?.call("browser_session", { do: "close" });
  await session?.close();
  server?.close();
});

describe("a client's browser", () => {
  it("opens a page, acts on it and shows it as a picture", async () => {
    const opened = await session.call("browser_navigate", { url });
    expect(opened.text).toContain('h1 "Hello"');
    const ref = /button "Press" (e\d+)/.exec(opened.text)?.[1];
    const acted = await session.call("browser_act", { steps: [{ do: "click", ref }] });
    expect(acted.isError).toBe(false);
    expect(acted.text).toContain('+ h1 "Pressed"');
    expect(acted.data.page).toMatchObject({ title: "Held", url, tab: "t1" });
    const { images, data } = await session.call("browser_screenshot");
    expect(images[0]?.mimeType).toBe("image/jpeg");
    expect(data.bytes).toBe(Buffer.from(images[0]?.data ?? "", "base64").byteLength);
  });

  it("puts what it prints into the sandbox", async () => {
    await session.call("browser_navigate", { url });
    const { data } = await session.call("browser_pdf", { save_as: "held.pdf" });
    const { text } = await session.call("command_run", {
      command: `head -c 5 ${data.path}; stat -c " %s" ${data.path}`,
    });
    expect(text).toContain(`%PDF- ${data.bytes}`);
  });

  it("opens nothing private, by either guard", async () => {
    const told = await session.call("browser_navigate", { url: url.replace("localhost", "127.0.0.1") });
    expect(told).toMatchObject({ isError: true, text: expect.stringContaining("private address") });
    // Past the Worker's: the machine's proxy refuses what a page asks for itself.
    await session.call("browser_navigate", { url });
    const before = asked.length;
    await session.call("browser_evaluate", {
      expression: `fetch("${url.replace("localhost", "127.0.0.1")}", { mode: "no-cors" }).then(String, String)`,
    });
    expect(asked.slice(before)).toEqual([]);
    await session.call("browser_evaluate", { expression: `fetch("${url}").then(String, String)` });
    expect(asked.slice(before)).toHaveLength(1);
  });

  it("is only for clients that were granted it", async () => {
    const other = await connect(bot, await signIn(bot, ["chat"]));
    try {
      const { tools } = await other.client.listTools();
      expect(tools.filter(({ name }) => name.startsWith("browser_"))).toEqual([]);
    } finally {
      await other.close();
    }
  });
});
