import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** Runs `local/client/<name>.ts` as npm does. `env` comes on top of this process's. */
export async function program(name: string, args: string[], { stdin = "", env = {} } = {}) {
  const file = fileURLToPath(new URL(`../../local/client/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { env: { ...process.env, ...env } });
  child.stdin.end(stdin);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { out, err, code };
}
