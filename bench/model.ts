import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";

const gatewaySchema = z.object({ bridge: z.string() });

const STREAMS = 32;
/** The stand-in sends eight words at a time. */
const PIECES = 2_000;
const ROUNDS = 100;

interface Side {
  firstMs: number[];
  totalMs: number[];
}

/**
 * The model bridge beside asking the provider directly, with the stand-in as the provider: what it adds to the first
 * word and to the whole, what is left of the throughput, and what many long streams do to the Worker's memory.
 */
export async function benchModel(stack: {
  url: string;
  standInUrl: string | undefined;
  host: { token: string };
}): Promise<string> {
  const headers = { "x-container-host-token": stack.host.token };
  const answer = await fetch(`${stack.url}/bench/gateway`, { headers });
  const { bridge } = gatewaySchema.parse(await answer.json());
  const ours = { url: `${stack.url}/bridge/model/v1/messages`, key: bridge };
  const direct = { url: `${stack.standInUrl}/v1/messages`, key: "any" };

  const sides: Record<"ours" | "direct", Side> = {
    ours: { firstMs: [], totalMs: [] },
    direct: { firstMs: [], totalMs: [] },
  };
  const body = request("say: hello to everybody who is here", 56_000);
  for (let round = -ROUNDS / 5; round < ROUNDS; round++) {
    for (const [name, target] of [["direct", direct] as const, ["ours", ours] as const]) {
      const { firstMs, totalMs } = await call(target, body);
      if (round < 0) continue;
      sides[name].firstMs.push(firstMs);
      sides[name].totalMs.push(totalMs);
    }
  }

  const long = request(`long: ${PIECES * 8}`, 1_000);
  const rates = { ours: [] as number[], direct: [] as number[] };
  const memory = [workerdBytes()];
  for (let round = 0; round < 3; round++) {
    rates.direct.push(await throughput(direct, long));
    rates.ours.push(await throughput(ours, long));
    memory.push(workerdBytes());
  }
  const ratio = median(rates.ours) / median(rates.direct);
  return [
    added("model call, first word", sides.ours.firstMs, sides.direct.firstMs),
    added("model call, whole", sides.ours.totalMs, sides.direct.totalMs),
    `${`model bridge, ${STREAMS} streams of ${PIECES}, events/s`.padEnd(52)} ${median(rates.ours).toFixed(0).padStart(9)} ${median(rates.direct).toFixed(0).padStart(9)} ${ratio.toFixed(2).padStart(7)}     0.80  ${ratio >= 0.8 ? "ok" : "UNDER"}`,
    `the Worker's memory before and after each round, MB: ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(" ")}`,
  ].join("\n");
}

/** As the gateway shapes it, `chars` long. */
function request(text: string, chars: number): string {
  return JSON.stringify({
    model: "moltbot",
    max_tokens: 16_000,
    stream: true,
    messages: [{ role: "user", content: text }],
    system: [{ type: "text", text: "You are a bench. ".repeat(Math.ceil(chars / 17)) }],
  });
}

async function call(
  { url, key }: { url: string; key: string },
  body: string,
): Promise<{ firstMs: number; totalMs: number; events: number }> {
  const started = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key, "anthropic-version": "2023-06-01" },
    body,
  });
  if (!response.ok || !response.body)
    throw new Error(`The model answered ${response.status}: ${await response.text()}`);
  let firstMs = 0;
  let events = 0;
  let tail = "";
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    const text = tail + decoder.decode(piece, { stream: true });
    const parts = text.split("content_block_delta");
    events += parts.length - 1;
    tail = (parts.at(-1) ?? "").slice(-18);
    if (firstMs === 0 && events > 0) firstMs = performance.now() - started;
  }
  // Each event names itself twice.
  return { firstMs, totalMs: performance.now() - started, events: events / 2 };
}

/** Events a second of all streams together. */
async function throughput(target: { url: string; key: string }, body: string): Promise<number> {
  const started = performance.now();
  const calls = await Promise.all(Array.from({ length: STREAMS }, () => call(target, body)));
  const events = calls.reduce((sum, each) => sum + each.events, 0);
  return events / ((performance.now() - started) / 1000);
}

function added(name: string, ours: number[], direct: number[]): string {
  const more = median(ours) - median(direct);
  return `${`${name}: ms, and ms more than directly`.padEnd(52)} ${median(ours).toFixed(2).padStart(9)} ${median(direct).toFixed(2).padStart(9)} ${more.toFixed(2).padStart(7)}     3.00  ${more <= 3 ? "ok" : "OVER"}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Resident bytes of the workerd processes below this one. */
function workerdBytes(): number {
  const processes = readdirSync("/proc").flatMap((name) => {
    try {
      const [, pid = "", command = "", rest = ""] =
        /^(\d+) \((.*)\) \S (.*)$/s.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      return [{ pid, command, parent: rest.split(" ")[0] ?? "", pages: Number(rest.split(" ")[20]) }];
    } catch {
      // Not a process, or one that has ended since.
      return [];
    }
  });
  const below = new Set([String(process.pid)]);
  for (let size = 0; size !== below.size;) {
    size = below.size;
    for (const { pid, parent } of processes) if (below.has(parent)) below.add(pid);
  }
  return processes
    .filter(({ pid, command }) => below.has(pid) && command === "workerd")
    .reduce((sum, { pages }) => sum + pages * 4096, 0);
}
