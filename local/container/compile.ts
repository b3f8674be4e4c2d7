/**
 * Compiles the gateway's code once: starts it in a jail of its own, where no bot ever is, and keeps what Node compiled beside
 * the gateway's packages. Run by the set-up.
 */
import { lchown, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { compiledCode } from "./compiled-code.ts";
import { jailIdentity, prepareDirectories } from "./jail-directories.ts";
import { spawnJail, systemMounts } from "./jail.ts";
import { sandboxServer } from "./sandbox-server.ts";

const CONTAINER_DIR = fileURLToPath(new URL("../../container", import.meta.url));

async function main(): Promise<void> {
  // Beside where it is kept, so that it is moved there whole or not at all.
  const root = join(CONTAINER_DIR, "node_modules/.cache/compiling");
  await rm(root, { recursive: true, force: true });
  try {
    const identity = await jailIdentity("compile");
    const directories = await prepareDirectories(root, identity);
    const { readOnly, env } = sandboxServer({ nodeBinary: process.execPath, containerDir: CONTAINER_DIR });
    const plan = { identity, directories, system: await systemMounts(), readOnly, env };
    const jail = spawnJail(plan, ["/bin/bash", "/opt/moltbot/bake/compile-cache.sh", "/home/moltbot/compiled"]);
    const [code, complaint] = await Promise.all([
      new Promise((resolve, reject) => jail.once("error", reject).once("close", resolve)),
      text(jail.stderr),
      text(jail.stdout),
    ]);
    if (code !== 0) throw new Error(complaint);
    const kept = compiledCode(CONTAINER_DIR);
    await rm(kept, { recursive: true, force: true });
    await mkdir(join(kept, ".."), { recursive: true });
    await takeOver(join(directories.home, "compiled"));
    await rename(join(directories.home, "compiled"), kept);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** From the jail's user to this one: no jail may write what the next gateway loads. */
async function takeOver(folder: string): Promise<void> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await lchown(join(entry.parentPath, entry.name), uid, gid);
}

await main();
