import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { UnauthorizedError as V1Unauthorized } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { driveSignIn } from "../../local/client/drive-sign-in.ts";
import { OAuthSession } from "../../local/client/oauth-session.ts";
import { listenForRedirect } from "../../local/client/redirect-listener.ts";
import { freePort } from "../../local/ports.ts";

const bot = inject("bot");
const MODULES = join(import.meta.dirname, "../../node_modules");
const ENDPOINT = `${bot.url}/mcp`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "client-"));
  closing.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Does in code what a person does with the address that a client shows. */
async function visit(authorizationUrl: string): Promise<void> {
  const back = new URL(authorizationUrl).searchParams.get("redirect_uri");
  if (back === null) throw new Error("The client's address has no way back.");
  await driveSignIn(authorizationUrl, back, { password: bot.password, decision: "approve" });
}

/** The first address of ours that a program prints. */
async function printedUrl(child: Pick<ChildProcess, "stdout" | "stderr">): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let all = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (part: Buffer) => {
      all += part.toString();
      const [url] = /http:\/\/localhost:\d+\/authorize\?\S+/.exec(all) ?? [];
      if (url !== undefined && /[\s"]/.test(all.slice(all.indexOf(url) + url.length))) resolve(url);
    });
  }
  return await promise;
}

/** The provider of version 2 has all that version 1 asks for. */
function v1Transport(authProvider: OAuthSession): V1Transport {
  return new V1Transport(new URL(ENDPOINT), { authProvider });
}

/** What stays the same for everyone: the tools, and one that answers. */
const NAMES = ["chat_send", "command_run", "file_read", "bot_status"];

describe("the whole way in, by itself", () => {
  it("is gone by the official client of version 1", async () => {
    const listener = await listenForRedirect();
    closing.push(() => listener.close());
    const session = new OAuthSession("v1", { redirectUrl: listener.url }, async () => {});
    const first = v1Transport(session);
    await expect(new V1Client({ name: "v1", version: "1" }).connect(first)).rejects.toBeInstanceOf(V1Unauthorized);
    await visit(session.authorizationUrl?.href ?? "");
    const answer = await listener.arrived(AbortSignal.timeout(60_000));
    await first.finishAuth(answer.get("code") ?? "");
    const client = new V1Client({ name: "v1", version: "1" });
    await client.connect(v1Transport(session));
    closing.push(() => client.close());
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
    expect(await client.callTool({ name: "bot_status", arguments: {} })).toMatchObject({
      structuredContent: { model: "anthropic/stand-in" },
    });
  });

  it.each(["legacy", "auto"] as const)("is gone by the official client of version 2, %s", async (mode) => {
    const listener = await listenForRedirect();
    closing.push(() => listener.close());
    const session = new OAuthSession("v2", { redirectUrl: listener.url }, async () => {});
    const made = () => new ModernClient({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
    const first = new ModernTransport(new URL(ENDPOINT), { authProvider: session });
    await expect(made().connect(first)).rejects.toThrow();
    await visit(session.authorizationUrl?.href ?? "");
    await first.finishAuth(await listener.arrived(AbortSignal.timeout(60_000)));
    const client = made();
    await client.connect(new ModernTransport(new URL(ENDPOINT), { authProvider: session }));
    closing.push(() => client.close());
    expect(client.getNegotiatedProtocolVersion()).toBe(mode === "auto" ? "2026-07-28" : "2025-11-25");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
    expect(await client.callTool({ name: "bot_status", arguments: {} })).toMatchObject({
      structuredContent: { model: "anthropic/stand-in" },
    });
  });

  it.each(["legacy", "modern"])("is gone by the inspector's command line, %s", async (era) => {
    const program = join(MODULES, ".bin/mcp-inspector");
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const child = spawn(
      process.execPath,
      [program, "--cli", "--server-url", ENDPOINT, "--transport", "http", "--callback-url", callback]
        .concat(["--connect-timeout", "120000", "--protocol-era", era])
        .concat(["--method", "tools/list", "--format", "json"]),
      {
        env: { ...process.env, HOME: folder(), BROWSER: "true", MCP_AUTO_OPEN_ENABLED: "true" },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    closing.push(() => child.kill());
    let out = "";
    let err = "";
    child.stdout.on("data", (part: Buffer) => (out += part.toString()));
    child.stderr.on("data", (part: Buffer) => (err += part.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await Promise.race([printedUrl(child).then(visit), ended]);
    expect(await ended, `${out}\n${err}`).toBe(0);
    expect(out, err).toContain('"command_run"');
  });

  it("is gone by mcp-remote", async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [join(MODULES, "mcp-remote/dist/proxy.js"), ENDPOINT, String(await freePort())],
      env: { PATH: process.env.PATH ?? "", HOME: folder(), MCP_REMOTE_CONFIG_DIR: folder(), BROWSER: "true" },
      stderr: "pipe",
    });
    const client = new V1Client({ name: "behind mcp-remote", version: "1" });
    closing.push(() => client.close());
    const { stderr } = z.object({ stderr: z.custom<ChildProcess["stderr"]>() }).parse({ stderr: transport.stderr });
    const signedIn = printedUrl({ stdout: null, stderr }).then(visit);
    await client.connect(transport, { timeout: 200_000 });
    await signedIn;
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
    expect(await client.callTool({ name: "bot_status", arguments: {} })).toMatchObject({
      structuredContent: { model: "anthropic/stand-in" },
    });
  });
});
