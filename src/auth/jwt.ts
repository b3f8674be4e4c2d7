import { errors } from "jose";
import { z } from "zod";

/** Clocks differ by some seconds. */
export const CLOCK_TOLERANCE_S = 30;

/** Keys that could not be fetched say nothing about the token. */
const ABOUT_KEYS = new Set(["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"]);

/** Whether a verification failed because of the token, and not because the issuer's keys could not be had. */
export function isTokenFault(error: unknown): boolean {
  if (error instanceof z.ZodError) return true;
  return error instanceof errors.JOSEError && !ABOUT_KEYS.has(error.code);
}
