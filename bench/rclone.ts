import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../local/ports.ts";

const AT_ONCE = "16";

export interface Rclone {
  /** Copies a folder to the storage, or the storage to a folder. */
  copy(folder: string, way: "up" | "down"): Promise<void>;
  close(): Promise<void>;
}

/** The peer: rclone over HTTP to a storage on this machine. Says why when it cannot be had. */
export async function startRclone(): Promise<Rclone | string> {
  if (spawnSync("rclone", ["version"]).status !== 0) {
    return "rclone is not installed, so there is nothing to compare with: apt-get install rclone.";
  }
  const storage = mkdtempSync(join(tmpdir(), "moltbot-rclone-"));
  const port = await freePort(undefined);
  const server = spawn("rclone", ["serve", "webdav", storage, "--addr", `127.0.0.1:${port}`], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(url).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    async copy(folder, way) {
      const remote = `:webdav,url='${url}':`;
      const [from, to] = way === "up" ? [folder, remote] : [remote, folder];
      const child = spawn("rclone", ["copy", from, to, "--transfers", AT_ONCE, "--checkers", AT_ONCE], {
        stdio: "inherit",
      });
      const [code] = await once(child, "close");
      if (code !== 0) throw new Error(`rclone ended with exit code ${String(code)}`);
    },
    async close() {
      server.kill();
      await once(server, "close");
      rmSync(storage, { recursive: true, force: true });
    },
  };
}
