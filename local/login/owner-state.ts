import { randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { z } from "zod";

/** What the login provider keeps between starts: without it every restart would make everyone a new person. */
export interface OwnerState {
  /** Private signing keys as a JWK set. */
  jwks: { keys: Record<string, unknown>[] };
  /** The `sub` claim of the owner's address. */
  subject: string;
  password: string;
  passwordFile: string;
}

const jwksSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });
const accountsSchema = z.record(z.string(), z.uuid());

/** Reads `stateDir`, making at the first start what is missing. Its files are for this user only. */
export async function readOwnerState(stateDir: string, email: string): Promise<OwnerState> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const passwordFile = join(stateDir, "owner-password");
  const password = (await kept(passwordFile, () => `${newPassword()}\n`)).trim();
  if (password.length < 12)
    throw new Error(`${passwordFile} holds no password of 12 characters or more: delete it to get a new one.`);

  const jwks = jwksSchema.parse(JSON.parse(await kept(join(stateDir, "signing-keys.json"), newKeys)));
  const accountsFile = join(stateDir, "accounts.json");
  const accounts = accountsSchema.parse(JSON.parse(await kept(accountsFile, () => "{}")));
  const address = email.toLowerCase();
  const subject = accounts[address] ?? randomUUID();
  if (accounts[address] === undefined) {
    await writeFile(accountsFile, JSON.stringify({ ...accounts, [address]: subject }), { mode: 0o600 });
  }
  return { jwks, subject, password, passwordFile };
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
