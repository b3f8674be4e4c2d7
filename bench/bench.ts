import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { login, mcpUrl } from "../local/client/login.ts";
import { memoryOfConnects } from "./connects.ts";
import { startStack } from "../local/stack.ts";
import { benchBrowser } from "./browser.ts";
import { benchCdp } from "./cdp.ts";
import { benchControl } from "./control.ts";
import { directChat } from "./direct-chat.ts";
import { benchModel } from "./model.ts";
import { benchPage } from "./page.ts";
import { type Comparison, compare, compareTogether, table } from "./measure.ts";

/** Every benchmark, in one run on one Moltbot. Prints ratios; nothing here fails for being slow. */
async function main(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "moltbot-bench-"));
  const stack = await startStack({ stateDir, variables: {}, entry: join(import.meta.dirname, "worker.ts") });
  try {
    process.stderr.write("Starting the gateway …\n");
    await stack.warm();
    const password = readFileSync(stack.passwordFile, "utf8").trim();
    const { accessToken } = await login({ url: stack.url, password, clientName: "bench" });
    const ours = await connect(mcpUrl(stack.url), accessToken);
    const bare = await connect(new URL(`${stack.url}/bench/mcp`));
    const journaled = await connect(new URL(`${stack.url}/bench/journaled/mcp`));
    const unjournaled = await connect(new URL(`${stack.url}/bench/unjournaled/mcp`));
    const direct = await directChat(stack.url, stack.host);
    const exec = async () => {
      const response = await fetch(`${stack.url}/bench/exec`, {
        headers: { "x-container-host-token": stack.host.token },
      });
      await response.json();
    };
    const call = (name: string, input: Record<string, unknown>) => () => ours.callTool({ name, arguments: input });
    const nothing = () => bare.callTool({ name: "nothing", arguments: {} });

    const rows: Comparison[] = [];
    const pairs = [
      {
        name: "tools/call through the pipeline : bare SDK server",
        target: 2,
        ours: call("chat_wait", {}),
        peer: nothing,
        rounds: 200,
      },
      {
        name: "tools/call chat_conversations : bare SDK server",
        target: 2,
        ours: call("chat_conversations", {}),
        peer: nothing,
        rounds: 200,
      },
      {
        name: "tools/call with the journal : without it",
        target: 1.1,
        ours: () => journaled.callTool({ name: "chat_conversations", arguments: {} }),
        peer: () => unjournaled.callTool({ name: "chat_conversations", arguments: {} }),
        rounds: 300,
      },
      {
        name: "command_run : Sandbox.exec as a bare MCP tool",
        target: 1.5,
        ours: call("command_run", { command: "echo hi" }),
        peer: () => bare.callTool({ name: "exec", arguments: {} }),
        rounds: 60,
      },
      {
        name: "command_run : Sandbox.exec without MCP",
        target: 1.5,
        ours: call("command_run", { command: "echo hi" }),
        peer: exec,
        rounds: 60,
      },
      {
        name: "chat_send : chat.send on the gateway",
        target: 1.15,
        ours: call("chat_send", { message: "say: hi", conversation: "bench" }),
        peer: () => direct.send("say: hi"),
        rounds: 40,
      },
    ];
    for (const pair of pairs) {
      process.stderr.write(`${pair.name} …\n`);
      rows.push(await compare(pair));
    }
    process.stderr.write("The admin page …\n");
    rows.push(...(await benchPage(stack)));
    process.stderr.write("The Control UI's way …\n");
    process.stdout.write(`${await benchControl(stack.url, stack.host)}\n`);
    process.stderr.write("The browser bridge …\n");
    rows.push(...(await benchCdp()));
    process.stderr.write("16 clients at once …\n");
    const oursTogether = await Promise.all(sixteen(() => connect(mcpUrl(stack.url), accessToken)));
    const bareTogether = await Promise.all(sixteen(() => connect(new URL(`${stack.url}/bench/mcp`))));
    rows.push(
      await compareTogether({
        name: "tools/call, 16 clients, ms a call : bare SDK server",
        // 0.6 of its throughput.
        target: 1 / 0.6,
        ours: oursTogether.map((client) => () => client.callTool({ name: "chat_wait", arguments: {} })),
        peer: bareTogether.map((client) => () => client.callTool({ name: "nothing", arguments: {} })),
        calls: 25,
        rounds: 9,
      }),
    );
    await Promise.all([...oursTogether, ...bareTogether].map((client) => client.close()));
    process.stderr.write("A thousand connects …\n");
    const bareUrl = new URL(`${stack.url}/bench/mcp`);
    process.stdout.write(`${await memoryOfConnects("bare SDK server", () => connect(bareUrl))}\n`);
    process.stdout.write(`${await memoryOfConnects("ours", () => connect(mcpUrl(stack.url), accessToken))}\n`);
    process.stderr.write("The model bridge …\n");
    process.stdout.write(`${table(rows)}\n${await benchModel(stack)}\n`);
    direct.close();
    await Promise.all([ours, bare, journaled, unjournaled].map((client) => client.close()));
  } finally {
    await stack.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function sixteen<T>(make: () => T): T[] {
  return Array.from({ length: 16 }, make);
}

async function connect(url: URL, token?: string): Promise<Client> {
  const client = new Client({ name: "bench", version: "1.0.0" });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return client;
}

await main();
// On its own, for it starts browsers by the hundred.
process.stderr.write("The browser …\n");
process.stdout.write(`${await benchBrowser()}\n`);
