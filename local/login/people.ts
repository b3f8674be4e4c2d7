import { randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { z } from "zod";

/** Somebody who can sign in here. */
export interface Person {
  email: string;
  name: string;
  /** The `sub` claim. */
  subject: string;
  password: string;
  passwordFile: string;
}

/** What the login provider keeps between starts: without it every restart would make everyone a new person. */
export interface LoginState {
  /** Private signing keys as a JWK set. */
  jwks: { keys: Record<string, unknown>[] };
  /** In the order asked for; the first is the owner. */
  people: [Person, ...Person[]];
}

const jwksSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });
const accountsSchema = z.record(z.string(), z.uuid());

/** Reads `stateDir`, making at the first start what is missing. Its files are for this user only. */
export async function readLoginState(stateDir: string, emails: readonly string[]): Promise<LoginState> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const jwks = jwksSchema.parse(JSON.parse(await kept(join(stateDir, "signing-keys.json"), newKeys)));
  const accountsFile = join(stateDir, "accounts.json");
  const accounts = accountsSchema.parse(JSON.parse(await kept(accountsFile, () => "{}")));
  const addresses = [...new Set(emails.map((email) => email.toLowerCase()))];
  const missing = addresses.filter((address) => accounts[address] === undefined);
  if (missing.length > 0) {
    for (const address of missing) accounts[address] = randomUUID();
    await writeFile(accountsFile, JSON.stringify(accounts), { mode: 0o600 });
  }
  const found: Person[] = [];
  for (const [index, email] of addresses.entries()) {
    const subject = accounts[email] ?? randomUUID();
    const passwordFile = join(stateDir, index === 0 ? "owner-password" : `password-of-${subject}`);
    const password = (await kept(passwordFile, () => `${newPassword()}\n`)).trim();
    if (password.length < 12)
      throw new Error(`${passwordFile} holds no password of 12 characters or more: delete it to get a new one.`);
    found.push({ email, name: index === 0 ? "Owner" : nameOf(email), subject, password, passwordFile });
  }
  const [owner, ...others] = found;
  if (!owner) throw new Error("Nobody could sign in: there is no e-mail address.");
  return { jwks, people: [owner, ...others] };
}

function nameOf(email: string): string {
  return email.slice(0, email.indexOf("@"));
}

/** The file's text; a file that is not there is made, readable by its owner only. */
async function kept(path: string, make: () => string | Promise<string>): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    await chmod(path, 0o600);
    return text;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const text = await make();
  await writeFile(path, text, { mode: 0o600, flag: "wx" });
  return text;
}

/** 120 random bits in letters and digits that are hard to confuse, in groups that are easy to type. */
function newPassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const text = Array.from(randomBytes(24), (byte) => letters[byte % letters.length]).join("");
  return text.replace(/(.{6})(?=.)/g, "$1-");
}

async function newKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ keys: [{ ...jwk, kid: randomUUID(), use: "sig", alg: "RS256" }] });
}
