import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { z } from "zod";

const textResult = z.object({ content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })) });

/** playwright-mcp as its users run it, on a Chromium of ours. */
export interface Peer {
  call(tool: string, input?: Record<string, unknown>): Promise<string>;
  client: Client;
  close(): Promise<void>;
}

export async function startPlaywright(chromium: string): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), "moltbot-peer-"));
  const browser = spawn(
    chromium,
    ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const endpoint = await new Promise<string>((resolve, reject) => {
    createInterface(browser.stderr).on("line", (line) => {
      const found = /DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1];
      if (found !== undefined) resolve(`http://${found}`);
    });
    browser.once("exit", (code) => reject(new Error(`Chromium ended with ${code}.`)));
  });
  const cli = join(createRequire(import.meta.url).resolve("@playwright/mcp/package.json"), "..", "cli.js");
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cli, "--cdp-endpoint", endpoint, "--output-dir", folder],
    cwd: folder,
    stderr: "ignore",
  });
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(transport);
  return {
    client,
    async call(name, input = {}) {
      const { content } = textResult.parse(await client.callTool({ name, arguments: input }, { timeout: 120_000 }));
      return content.map(({ text = "" }) => text).join("\n");
    },
    async close() {
      await client.close();
      browser.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
