export interface Pair {
  name: string;
  /** Ours at most this many times the peer. */
  target: number;
  ours: () => Promise<unknown>;
  peer: () => Promise<unknown>;
  rounds: number;
}

export interface Comparison {
  name: string;
  oursMs: number;
  peerMs: number;
  ratio: number;
  target: number;
}

/** Medians of both sides, taken in turn so that whatever slows the machine slows both. */
export async function compare({ name, target, ours, peer, rounds }: Pair): Promise<Comparison> {
  const times = { ours: [] as number[], peer: [] as number[] };
  const warmUp = Math.ceil(rounds / 5);
  for (let round = -warmUp; round < rounds; round++) {
    const [peerMs, oursMs] = [await timed(peer), await timed(ours)];
    if (round < 0) continue;
    times.peer.push(peerMs);
    times.ours.push(oursMs);
  }
  const [oursMs, peerMs] = [median(times.ours), median(times.peer)];
  return { name, oursMs, peerMs, ratio: oursMs / peerMs, target };
}

/** Milliseconds a call when each side's clients call all at once, one after the other; the sides take turns. */
export async function compareTogether(pair: {
  name: string;
  target: number;
  ours: readonly (() => Promise<unknown>)[];
  peer: readonly (() => Promise<unknown>)[];
  calls: number;
  rounds: number;
}): Promise<Comparison> {
  const { name, target, ours, peer, calls, rounds } = pair;
  const together = async (clients: readonly (() => Promise<unknown>)[]) => {
    const started = performance.now();
    await Promise.all(
      clients.map(async (client) => {
        for (let call = 0; call < calls; call++) await client();
      }),
    );
    return (performance.now() - started) / (clients.length * calls);
  };
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const [peerMs, oursMs] = [await together(peer), await together(ours)];
    if (round < 0) continue;
    times.peer.push(peerMs);
    times.ours.push(oursMs);
  }
  const [oursMs, peerMs] = [median(times.ours), median(times.peer)];
  return { name, oursMs, peerMs, ratio: oursMs / peerMs, target };
}

/** How long it takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function table(rows: readonly Comparison[]): string {
  const lines = rows.map(
    ({ name, oursMs, peerMs, ratio, target }) =>
      `${name.padEnd(52)} ${oursMs.toFixed(2).padStart(9)} ${peerMs.toFixed(2).padStart(9)} ${ratio.toFixed(2).padStart(7)} ${target.toFixed(2).padStart(8)}  ${ratio <= target ? "ok" : "OVER"}`,
  );
  const head = `${"median ms, 2 clients in turn".padEnd(52)} ${"ours".padStart(9)} ${"peer".padStart(9)} ${"ratio".padStart(7)} ${"target".padStart(8)}`;
  return [head, ...lines].join("\n");
}
