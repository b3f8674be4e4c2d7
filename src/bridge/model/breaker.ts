/** Failures in a row after which a provider is left alone for a while. */
const MOST_FAILURES = 2;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 300_000;

interface Circuit {
  failures: number;
  /** Until when it is not asked first. Milliseconds since 1970. */
  openUntil: number;
  /** It asked to be left alone itself: it is not asked at all before. */
  told: boolean;
}

/**
 * Which providers are worth asking. Kept in the isolate's memory: the container's calls nearly always reach the same
 * one, an object of its own would cost every call a round trip, and a wrong guess costs one failed attempt.
 */
export class Breaker {
  readonly #circuits = new Map<string, Circuit>();

  /** Those to ask, in order: first the healthy ones, then the others, for a small hope is better than none. */
  order<T extends { name: string }>(targets: readonly T[], now: number): T[] {
    const open = (target: T) => (this.#circuits.get(target.name)?.openUntil ?? 0) > now;
    const told = (target: T) => open(target) && this.#circuits.get(target.name)?.told === true;
    return [...targets.filter((target) => !open(target)), ...targets.filter((target) => open(target) && !told(target))];
  }

  /** In how many milliseconds the first of them may be asked again. */
  soonest(targets: readonly { name: string }[], now: number): number {
    return Math.max(0, Math.min(...targets.map(({ name }) => this.#circuits.get(name)?.openUntil ?? 0)) - now);
  }

  succeeded(name: string): void {
    this.#circuits.delete(name);
  }

  /** `retryAfterMs`: how long it wants to be left alone. `lasting`: it will not pass by itself, such as a wrong key. */
  failed(name: string, now: number, why: { retryAfterMs: number | undefined; lasting: boolean }): void {
    const failures = (this.#circuits.get(name)?.failures ?? 0) + 1;
    const told = why.retryAfterMs !== undefined;
    const doubled = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - MOST_FAILURES), LONGEST_PAUSE_MS);
    const pause = failures >= MOST_FAILURES || why.lasting ? doubled : 0;
    this.#circuits.set(name, {
      failures,
      openUntil: now + (told ? Math.min(why.retryAfterMs ?? 0, LONGEST_PAUSE_MS) : pause),
      told,
    });
  }
}
