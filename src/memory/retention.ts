const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long which generations are kept. Milliseconds. */
export interface Retention {
  /** Every one. */
  allFor: number;
  /** The last one of each hour. */
  hourlyFor: number;
  /** The last one of each day. */
  dailyFor: number;
}

/** Those that may go. The newest always stays. */
export function expired<G extends { id: string; at: number }>(
  generations: readonly G[],
  now: number,
  retention: Retention,
): G[] {
  const kept = new Set<string>();
  const newestFirst = generations.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const filled = new Set<string>();
  const keepFirst = (generation: G, slot: string) => {
    if (filled.has(slot)) return;
    filled.add(slot);
    kept.add(generation.id);
  };
  for (const [position, generation] of newestFirst.entries()) {
    const age = now - generation.at;
    if (position === 0 || age <= retention.allFor) kept.add(generation.id);
    if (age <= retention.hourlyFor) keepFirst(generation, `hour ${Math.floor(generation.at / HOUR)}`);
    if (age <= retention.dailyFor) keepFirst(generation, `day ${Math.floor(generation.at / DAY)}`);
  }
  return generations.filter(({ id }) => !kept.has(id));
}
