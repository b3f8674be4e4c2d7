import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import { sha256 } from "../core/digest.ts";

/**
 * Consent is remembered for a person, but the consent page comes before the sign-in, when nobody knows yet who sits
 * there. So a browser keeps, signed, who signed in last, and the name under which that person's approvals are kept
 * in it. It opens nothing: the person still has to sign in, and another one who does makes the browser forget.
 */
export interface Familiar {
  /** The principal's id. */
  person: string;
  /** The `subject` that the library binds remembered approvals to. */
  subject: string;
}

/** Of every cookie the sign-in sets. */
export const COOKIE_PREFIX = "__Host-moltbot-";
const PERSON = `${COOKIE_PREFIX}person`;
const APPROVALS = `${COOKIE_PREFIX}approvals`;

export const REMEMBERED_SECONDS = 30 * 24 * 3600;

const schema = z.object({ sub: z.string(), subject: z.string() });

/** The key for what is remembered in browsers. A new client secret makes all of them forget. */
export async function rememberSecret(config: Config): Promise<string> {
  return await sha256(`remembered consent\n${config.login.clientSecret}`);
}

export function newSubject(): string {
  return crypto.randomUUID();
}

/** Who signed in last in the browser that sent this request. */
export async function familiarOf(request: Request, config: Config): Promise<Familiar | undefined> {
  const token = cookieOf(request, PERSON);
  if (token === undefined) return undefined;
  try {
    const { payload } = await jwtVerify(token, await keyOf(config), {
      algorithms: ["HS256"],
      audience: config.publicUrl,
      requiredClaims: ["exp"],
    });
    const { sub, subject } = schema.parse(payload);
    return { person: sub, subject };
  } catch (error) {
    // Expired, forged or from before the secret changed: whoever it is has to be asked.
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** The `set-cookie` line by which a browser remembers who signed in. */
export async function familiarCookie(familiar: Familiar, config: Config, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const token = await new SignJWT({ subject: familiar.subject })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(familiar.person)
    .setAudience(config.publicUrl)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + REMEMBERED_SECONDS)
    .sign(await keyOf(config));
  return `${PERSON}=${token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${REMEMBERED_SECONDS}`;
}

/** The `set-cookie` lines by which a browser forgets the person and every approval. */
export function forgetCookies(): string[] {
  return [PERSON, APPROVALS].map((name) => `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`);
}

/** A cookie's value; undefined also when there are two of that name, for then one of them is somebody else's. */
export function cookieOf(request: Request, name: string): string | undefined {
  const values = (request.headers.get("cookie") ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

async function keyOf(config: Config): Promise<Uint8Array> {
  return new TextEncoder().encode(`familiar:${await rememberSecret(config)}`);
}
