import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBridge, type TestBridge, type Way, WAYS } from "./bridge-stack.ts";

const TOKENS = {
  TELEGRAM_BOT_TOKEN: "1234:the-real-telegram-token",
  SLACK_BOT_TOKEN: "xoxb-the-real-bot-token",
  SLACK_APP_TOKEN: "xapp-the-real-app-token",
};

let bridge: TestBridge;
let service: { url: string; close(): Promise<void> };
const asked: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];

/** Telegram and Slack on loopback: they answer with all they were sent, tokens and all. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { method = "", url = "", headers } = request;
  asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
  if (url.includes("/file/")) {
    response.writeHead(200, { "content-type": "image/jpeg" }).end(Buffer.from([0xff, 0xd8, 0, 1]));
    return;
  }
  response.writeHead(200, { "content-type": "application/json", "set-cookie": "a=b" });
  response.end(JSON.stringify({ ok: true, url, headers }));
}

async function startService() {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The service has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

beforeAll(async () => {
  [bridge, service] = await Promise.all([startBridge(), startService()]);
});
afterAll(async () => {
  await Promise.all([bridge.close(), service.close()]);
});
beforeEach(() => {
  asked.length = 0;
});

/** The bridge with all tokens; the headers are those that the services' own libraries send. */
function open(way: Way = "by the token") {
  const urls = { TELEGRAM_API_URL: service.url, SLACK_API_URL: `${service.url}/api` };
  const { ask } = bridge.fresh({ ANTHROPIC_API_KEY: "unused", ...TOKENS, ...urls }, way);
  return (path: string, body: string | undefined, headers: Record<string, string> = {}) =>
    ask(path, body, { method: body === undefined ? "GET" : "POST", headers: { "x-api-key": "", ...headers } });
}

describe("Telegram", () => {
  it.each(WAYS)("asked %s, gets the real token in the place of the container's, and gives none back", async (way) => {
    const answer = await open(way)("/telegram/bot0:of-this-start/sendMessage?x=1", '{"text":"hi"}');
    expect(asked).toMatchObject([
      { method: "POST", url: "/bot1234:the-real-telegram-token/sendMessage?x=1", body: '{"text":"hi"}' },
    ]);
    const text = await answer.text();
    expect(text).toContain("/bot[redacted]/sendMessage");
    expect(text).not.toContain("the-real");
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it.each(WAYS)("asked %s, gives the files that people sent, as they are", async (way) => {
    const answer = await open(way)("/telegram/file/bot0:of-this-start/photos/file_1.jpg", undefined);
    expect(asked[0]?.url).toBe("/file/bot1234:the-real-telegram-token/photos/file_1.jpg");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([0xff, 0xd8, 0, 1]));
  });

  it.each([
    "/telegram/bot0:of-another-start/getMe",
    "/telegram/bot1234:the-real-telegram-token/getMe",
    "/telegram/botof-this-start/getMe",
    "/telegram/bot0:of-this-start/../getMe",
    "/telegram/bot0:of-this-start/",
    "/telegram/bot0:of-this-start/a%2Fb",
  ])("is not reached by %s", async (path) => {
    expect((await open()(path, "{}")).status).toBeGreaterThanOrEqual(400);
    expect(asked).toEqual([]);
  });
});

const SLACK_CALLS = WAYS.flatMap((way) => [
  { way, method: "chat.postMessage", shown: "xoxb-of-this-start", real: TOKENS.SLACK_BOT_TOKEN },
  { way, method: "apps.connections.open", shown: "xapp-of-this-start", real: TOKENS.SLACK_APP_TOKEN },
]);

describe("Slack", () => {
  it.each(SLACK_CALLS)("asked $way, gets the real token for $method, and gives none back", async (call) => {
    const { way, method, shown, real } = call;
    const answer = await open(way)(`/slack/${method}`, "a=b", {
      authorization: `Bearer ${shown}`,
      "content-type": "application/x-www-form-urlencoded",
      cookie: "d=stolen",
    });
    expect(asked).toMatchObject([{ url: `/api/${method}`, body: "a=b" }]);
    expect(asked[0]?.headers).toMatchObject({
      authorization: `Bearer ${real}`,
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(asked[0]?.headers.cookie).toBeUndefined();
    expect(await answer.text()).not.toContain("the-real");
  });

  it.each([
    ["chat.postMessage", "Bearer xoxb-of-another-start"],
    ["chat.postMessage", "Bearer of-this-start"],
    ["../files", "Bearer xoxb-of-this-start"],
  ])("is not reached by %s with %s", async (method, authorization) => {
    expect((await open()(`/slack/${method}`, "a=b", { authorization })).status).toBeGreaterThanOrEqual(400);
    expect(asked).toEqual([]);
  });
});
