import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const gatewaySchema = z.object({ bridge: z.string() });

const ROUNDS = 100;
const STREAMS = 32;
const PIECES = 2_000;
/** Two hundred pieces a second is more than any provider sends. ms. */
const PACE = 5;

type Ask = (path: string) => Promise<Response>;

/**
 * The model bridge beside asking the provider directly: what it adds to the first word and to the whole, what is left of
 * the throughput of many streams at once, and what they do to the Worker's memory.
 */
export async function benchModel(stack: { url: string; host: { token: string } }): Promise<string> {
  const provider = spawn(process.execPath, [join(import.meta.dirname, "provider.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = await once(provider.stdout.setEncoding("utf8"), "data");
    return await compareWith(`http://127.0.0.1:${String(port).trim()}`, stack);
  } finally {
    provider.kill();
  }
}

async function compareWith(provider: string, stack: { url: string; host: { token: string } }): Promise<string> {
  const headers = { "x-container-host-token": stack.host.token };
  const { bridge } = gatewaySchema.parse(await (await fetch(`${stack.url}/bench/gateway`, { headers })).json());
  const body = request(56_000);
  const post = (url: string, more: Record<string, string>) =>
    fetch(url, { method: "POST", body, headers: { ...headers, "content-type": "application/json", ...more } });
  const direct: Ask = (path) => post(`${provider}${path}/v1/messages`, {});
  const ours: Ask = (path) =>
    post(`${stack.url}/bench/model/v1/messages`, { "x-api-key": bridge, "x-provider": provider + path });
  const empty: Ask = () => post(`${stack.url}/bench/empty`, {});

  const times = { direct: [] as Times[], ours: [] as Times[], empty: [] as Times[] };
  for (let round = -ROUNDS / 5; round < ROUNDS; round++) {
    const [one, two, three] = [await timed(direct), await timed(ours), await timed(empty)];
    if (round < 0) continue;
    times.direct.push(one);
    times.ours.push(two);
    times.empty.push(three);
  }
  const rates = { direct: [] as number[], ours: [] as number[] };
  const memory = [workerdBytes()];
  for (let round = 0; round < 2; round++) {
    rates.direct.push(await throughput(direct));
    rates.ours.push(await throughput(ours));
    memory.push(workerdBytes());
  }
  const ratio = median(rates.ours) / median(rates.direct);
  const streams = `${STREAMS} model streams of ${PIECES} pieces, pieces/s`;
  return [
    "",
    `${"model bridge : provider directly".padEnd(52)} ${"ours".padStart(9)} ${"peer".padStart(9)} ${"more".padStart(7)} ${"target".padStart(8)}`,
    added("model call, ms to the first word", times, ({ firstMs }) => firstMs),
    added("model call, ms to its end", times, ({ totalMs }) => totalMs),
    `  of which any answer of this Worker takes ${median(times.empty.map(({ totalMs }) => totalMs)).toFixed(2)} ms`,
    line(streams, [median(rates.ours), median(rates.direct), ratio, 0.8], ratio >= 0.8 ? "ok" : "UNDER"),
    `  the Worker's memory before and after each round, MB: ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(" ")}`,
  ].join("\n");
}

interface Times {
  firstMs: number;
  totalMs: number;
}

async function timed(ask: Ask): Promise<Times> {
  const { firstMs, totalMs } = await read(ask, "/1/0");
  return { firstMs, totalMs };
}

async function read(ask: Ask, path: string): Promise<Times & { pieces: number }> {
  const started = performance.now();
  const response = await ask(path);
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`);
  let firstMs = 0;
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    text += decoder.decode(piece, { stream: true });
    if (firstMs === 0 && text.includes("text_delta")) firstMs = performance.now() - started;
  }
  return { firstMs, totalMs: performance.now() - started, pieces: text.split("text_delta").length - 1 };
}

/** Pieces a second of all streams together. */
async function throughput(ask: Ask): Promise<number> {
  const started = performance.now();
  const all = await Promise.all(Array.from({ length: STREAMS }, () => read(ask, `/${PIECES}/${PACE}`)));
  const pieces = all.reduce((sum, each) => sum + each.pieces, 0);
  if (pieces !== STREAMS * PIECES) throw new Error(`${pieces} pieces came of ${STREAMS * PIECES}.`);
  return pieces / ((performance.now() - started) / 1000);
}

/** A request of this many characters, as the gateway shapes it. */
function request(chars: number): string {
  const system = [{ type: "text", text: "You are a bench. ".repeat(Math.ceil(chars / 17)) }];
  return JSON.stringify({ model: "moltbot", max_tokens: 16_000, stream: true, messages: [], system });
}

function added(name: string, times: Record<"direct" | "ours", Times[]>, of: (each: Times) => number): string {
  const [ours, direct] = [median(times.ours.map(of)), median(times.direct.map(of))];
  return line(name, [ours, direct, ours - direct, 3], ours - direct <= 3 ? "ok" : "OVER");
}

function line(name: string, [ours, peer, more, target]: [number, number, number, number], verdict: string): string {
  const [first, second] = [ours, peer].map((value) => value.toFixed(2).padStart(9));
  return `${name.padEnd(52)} ${first} ${second} ${more.toFixed(2).padStart(7)} ${target.toFixed(2).padStart(8)}  ${verdict}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Resident bytes of the workerd processes below this one. */
function workerdBytes(): number {
  const processes = readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [, pid = "", command = "", rest = ""] = /^(\d+) \((.*)\) \S (.*)$/s.exec(stat) ?? [];
      const fields = rest.split(" ");
      return [{ pid, command, parent: fields[0] ?? "", pages: Number(fields[20]) }];
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
  const workers = processes.filter(({ pid, command }) => below.has(pid) && command === "workerd");
  return workers.reduce((sum, { pages }) => sum + pages * 4096, 0);
}
