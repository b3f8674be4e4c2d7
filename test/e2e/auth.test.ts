import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { login } from "../../local/client/login.ts";
import { connect, signIn } from "./client.ts";

const bot = inject("bot");

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

const post = (headers: Record<string, string>, body: unknown = initialize) =>
  fetch(`${bot.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("the MCP endpoint", () => {
  it("asks for a token and says where to get one", async () => {
    const response = await post({});
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    const [, metadataUrl = ""] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
    const resource = z
      .object({ resource: z.string(), authorization_servers: z.array(z.string()) })
      .parse(await (await fetch(metadataUrl)).json());
    expect(resource).toEqual({ resource: `${bot.url}/mcp`, authorization_servers: [bot.url] });
    const server = await (await fetch(`${bot.url}/.well-known/oauth-authorization-server`)).json();
    expect(server).toMatchObject({
      issuer: bot.url,
      code_challenge_methods_supported: ["S256"],
      registration_endpoint: `${bot.url}/oauth/register`,
    });
  });

  it.each([
    ["no-such-token", 401],
    ["a:b:c", 401],
  ])("refuses the token %s", async (token, status) => {
    expect((await post({ authorization: `Bearer ${token}` })).status).toBe(status);
  });

  it("takes no token from the URL", async () => {
    const token = await signIn(bot);
    const response = await fetch(`${bot.url}/mcp?access_token=${token}`, {
      method: "POST",
      body: JSON.stringify(initialize),
    });
    expect(response.status).toBe(401);
  });

  it("refuses a browser's request from another site", async () => {
    const token = await signIn(bot);
    expect((await post({ authorization: `Bearer ${token}`, origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it("says what is wrong with a body that is not JSON or too large", async () => {
    const authorization = `Bearer ${await signIn(bot)}`;
    const broken = await post({ authorization }, "{");
    expect(broken.status).toBe(400);
    expect(await broken.text()).toContain("not JSON");
    const large = await post({ authorization }, JSON.stringify({ ...initialize, pad: "x".repeat(25 * 1024 * 1024) }));
    expect(large.status).toBe(413);
    expect(await large.text()).toContain("file_write");
  });
});

describe("permissions", () => {
  it("are what the person ticked, and the rest is neither shown nor allowed", async () => {
    const session = await connect(bot, await signIn(bot, ["chat"]));
    const { tools } = await session.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "chat_send",
      "chat_wait",
      "chat_cancel",
      "chat_conversations",
      "chat_history",
      "bot_status",
      "bot_wake",
      "bot_jobs",
    ]);
    expect((await session.client.listResources()).resources.map(({ name }) => name)).toEqual(["status"]);
    await session.close();
    const refused = await post(
      { authorization: `Bearer ${session.token}` },
      { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "command_run", arguments: { command: "true" } } },
    );
    expect(refused.status).toBe(403);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="chat exec"');
    const [, metadataUrl = ""] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
    expect((await fetch(metadataUrl)).status).toBe(200);
  });

  it("are refused with a real Deny", async () => {
    await expect(login({ ...bot, decision: "deny" })).rejects.toThrow(/refused/);
  });

  it("need the right password", async () => {
    await expect(login({ ...bot, password: "wrong" })).rejects.toThrow();
  });
});

describe("the consent page", () => {
  it("names the client, where access goes, and runs and loads nothing", async () => {
    const registered = z.object({ client_id: z.string() }).parse(
      await (
        await fetch(`${bot.url}/oauth/register`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            client_name: "<script>alert(1)</script> Client",
            redirect_uris: ["http://127.0.0.1:9/back"],
            token_endpoint_auth_method: "none",
          }),
        })
      ).json(),
    );
    const query = new URLSearchParams({
      response_type: "code",
      client_id: registered.client_id,
      redirect_uri: "http://127.0.0.1:9/back",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
      state: "s",
      scope: "chat",
      resource: `${bot.url}/mcp`,
    });
    const response = await fetch(`${bot.url}/authorize?${query}`);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(html).not.toContain("<script>");
    expect(html).toContain("127.0.0.1");
    expect(html).toContain("Access goes to an app on this computer");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    const stolen = /name="handle" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const forged = await fetch(`${bot.url}/authorize?${query}`, {
      method: "POST",
      body: new URLSearchParams({ handle: stolen, decision: "approve", scope: "chat" }),
      redirect: "manual",
    });
    expect(forged.status).toBe(400);
    expect(await forged.text()).toContain("Start again from your MCP client");
  });

  it("shows a page, not a redirect, when the client is unknown", async () => {
    const response = await fetch(
      `${bot.url}/authorize?response_type=code&client_id=nobody&redirect_uri=https://evil.example/`,
      { redirect: "manual" },
    );
    expect(response.status).toBe(400);
    expect(response.headers.get("location")).toBeNull();
  });
});

describe("the bridge", () => {
  it.each([{}, { authorization: "Bearer guess" }, { "x-api-key": "0".repeat(48) }])("refuses %j", async (headers) => {
    const response = await fetch(`${bot.url}/bridge/model/v1/messages`, { method: "POST", headers, body: "{}" });
    expect(response.status).toBe(401);
  });
});
