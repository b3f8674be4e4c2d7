import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

export type PasswordVerdict = { kind: "right" } | { kind: "wrong" } | { kind: "wait"; seconds: number };

/** Wrong passwords that cost no waiting; after them the wait doubles with each one, up to the longest. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Compares passwords in constant time over their scrypt hashes and slows guessing down. There is one
 * owner, so the tries of all callers count together. `now` is in milliseconds.
 */
export async function passwordCheck(
  password: string,
  now: () => number,
): Promise<(attempt: string) => Promise<PasswordVerdict>> {
  const salt = randomBytes(16);
  const expected = await derive(password, salt, 32);
  let wrong = 0;
  let openAt = 0;
  return async (attempt) => {
    const wait = openAt - now();
    if (wait > 0) return { kind: "wait", seconds: Math.ceil(wait / 1000) };
    // Counted before it is known to be wrong: tries made at the same moment must not slip through together.
    wrong += 1;
    if (wrong >= FREE_TRIES) openAt = now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (wrong - FREE_TRIES));
    const given = await derive(attempt.trim(), salt, 32);
    if (!timingSafeEqual(given, expected)) return { kind: "wrong" };
    wrong = 0;
    openAt = 0;
    return { kind: "right" };
  };
}
