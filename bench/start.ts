import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, stderr, stdout } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";
import { login, mcpUrl } from "../local/client/login.ts";
import { startStack } from "../local/stack.ts";
import { type BareGateway, bareGateway } from "./bare-gateway.ts";
import { median, timed } from "./measure.ts";

const ROUNDS = Number(argv[2] ?? 5);
/** What the way from a command to a ready gateway may cost over the bare one's start. Milliseconds. */
const MOST_OVER = 2_000;

const resultSchema = z.object({
  structuredContent: z.record(z.string(), z.unknown()),
  isError: z.literal(false).optional(),
});

/** From a command to a sleeping Moltbot until its gateway is ready, and in turn a bare gateway with the same state; then its first chat. */
async function main(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "moltbot-start-"));
  const stack = await startStack({ stateDir, variables: {} });
  let bare: BareGateway | undefined;
  try {
    const password = readFileSync(stack.passwordFile, "utf8").trim();
    const { accessToken } = await login({ url: stack.url, password, clientName: "bench" });
    const client = new Client({ name: "bench", version: "1.0.0" });
    const headers = { authorization: `Bearer ${accessToken}` };
    await client.connect(new StreamableHTTPClientTransport(mcpUrl(stack.url), { requestInit: { headers } }));
    const call = async (name: string, input: Record<string, unknown> = {}) =>
      resultSchema.parse(await client.callTool({ name, arguments: input }, { timeout: 90_000 })).structuredContent;
    const chat = async (message: string) => {
      const { status } = await call("chat_send", { message, conversation: "start" });
      if (status !== "done") throw new Error(`The chat is ${String(status)}.`);
    };
    const woken = async () => {
      while ((await call("bot_wake")).phase !== "ready");
    };
    const times = { ours: [] as number[], bare: [] as number[], first: [] as number[], later: [] as number[] };
    // What a new bot does once: it makes its files and looks for what to migrate. Then the bare one has the same as it has.
    await woken();
    await chat("say: hello");
    await call("bot_sleep");
    bare = await bareGateway(stateDir);
    // Its first start fills its cache.
    await bareStart(bare);
    for (let round = 0; round < ROUNDS; round++) {
      stderr.write(`Start ${round + 1} of ${ROUNDS} …\n`);
      times.bare.push(await bareStart(bare));
      times.ours.push(await timed(woken));
      // Who wakes it and then types takes a moment.
      await sleep(10_000);
      times.first.push(await timed(() => chat("say: first")));
      times.later.push(await timed(() => chat("say: later")));
      await call("bot_sleep");
    }
    const [ours, peer] = [median(times.ours), median(times.bare)];
    const over = ours - peer;
    stdout.write(
      `${ROUNDS} starts, medians: bot_wake → ready ${ms(ours)}, bare gateway ${ms(peer)}, over it ${ms(over)} (at most ${ms(MOST_OVER)}: ${over <= MOST_OVER ? "ok" : "OVER"})\n` +
        `10 s later: first chat ${ms(median(times.first))}, the next ${ms(median(times.later))}\n`,
    );
    await client.close();
  } finally {
    bare?.close();
    await stack.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function bareStart(gateway: BareGateway): Promise<number> {
  const took = await timed(() => gateway.ready());
  await gateway.stop();
  return took;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

await main();
