import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const STACK = join(import.meta.dirname, "..", "..", "local", "stack.ts");
const WORKER = join(import.meta.dirname, "..", "..", "local", "worker.ts");

it("leaves no process behind when it is killed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "moltbot-orphan-"));
  const entry = join(folder, "entry.ts");
  writeFileSync(
    entry,
    `export * from ${JSON.stringify(WORKER)};
     export default {
       fetch: (request, env) => env.BROWSER.fetch("https://browser.internal/v1/devtools/browser", { method: "POST" }),
     };`,
  );
  const program = join(folder, "start.ts");
  writeFileSync(
    program,
    `import { startStack } from ${JSON.stringify(STACK)};
     const stack = await startStack({
       stateDir: ${JSON.stringify(join(folder, "state"))}, variables: {}, entry: ${JSON.stringify(entry)},
     });
     const browser = await fetch(stack.url + "/open-a-browser");
     if (!browser.ok) throw new Error(await browser.text());
     console.log("up");`,
  );
  const child = spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ORPHAN_MARK: folder },
  });
  try {
    await once(child.stdout, "data");
    expect(marked(folder).length).toBeGreaterThan(1);
    expect(marked(join(folder, "state", "browser")).length).toBeGreaterThan(0);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    await expect.poll(() => marked(folder), { timeout: 60_000 }).toEqual([]);
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Living processes that the program started, by its mark in their environment, and jails, by their folder in their mounts. */
function marked(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
    try {
      const state = readFileSync(join("/proc", name, "stat"), "utf8").split(") ")[1]?.[0];
      if (state === "Z") return false;
      if (readFileSync(join("/proc", name, "environ"), "utf8").includes(`ORPHAN_MARK=${folder}`)) return true;
      return readFileSync(join("/proc", name, "mountinfo"), "utf8").includes(folder);
    } catch {
      // Gone meanwhile, or somebody else's.
      return false;
    }
  });
}
