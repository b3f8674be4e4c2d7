import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FolderMount, type MountHost } from "../../../src/sandbox/folder.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FOLDER = { binding: "STATE", prefix: "/files", path: "/files" };

/** A container that does what it is told. */
function container(mount: () => Promise<void> = async () => {}) {
  const stored = new Map<string, string>();
  const done: string[] = [];
  const state = { mounted: false, answers: true };
  const host: MountHost = {
    storage: {
      get: async (key) => stored.get(key),
      put: async (key, value) => void stored.set(key, value),
      delete: async (key) => stored.delete(key),
    },
    async mount({ path, prefix, binding }) {
      done.push(`mount ${binding}${prefix} ${path}`);
      await mount();
      state.mounted = true;
    },
    async unmount(path) {
      done.push(`unmount ${path}`);
    },
    async succeeds(line) {
      if (line.startsWith("mountpoint")) return state.mounted && state.answers;
      if (line.startsWith("timeout")) return state.answers;
      if (line.startsWith("rmdir")) done.push(line);
      return true;
    },
  };
  return { host, done, state };
}

describe("the folder for large files", () => {
  it("is mounted once for each life of the container", async () => {
    const { host, done, state } = container();
    const folder = new FolderMount(() => FOLDER, host);
    await Promise.all([folder.ensure(), folder.ensure()]);
    await folder.ensure();
    expect(done).toEqual(["unmount /files", "mount STATE/files /files"]);
    folder.containerGone();
    state.mounted = false;
    await folder.ensure();
    expect(done.filter((what) => what.startsWith("mount"))).toHaveLength(2);
    expect(await folder.status()).toEqual({ path: "/files" });
  });

  it("is found mounted by an object that was made anew, and mounted again when it no longer answers", async () => {
    const { host, done, state } = container();
    state.mounted = true;
    await new FolderMount(() => FOLDER, host).ensure();
    expect(done).toEqual([]);
    state.answers = false;
    const again = new FolderMount(() => FOLDER, host);
    await again.ensure();
    expect(done).toContain("mount STATE/files /files");
    expect((await again.status()).problem).toBe("The folder /files is not there: It is mounted and does not answer.");
  });

  it("is one only when the storage behind it answers, whatever its root says", async () => {
    const path = mkdtempSync(join(tmpdir(), "moltbot folder-"));
    const programs = mkdtempSync(join(tmpdir(), "moltbot-programs-"));
    const program = (name: string, body: string) =>
      writeFileSync(join(programs, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    const asks = async () => {
      const { host, done } = container();
      host.succeeds = async (line) => {
        const env = { PATH: `${programs}:${process.env.PATH}` };
        return !line.includes("stat") || spawnSync("bash", ["-c", line], { env }).status === 0;
      };
      await new FolderMount(() => ({ ...FOLDER, path }), host).ensure();
      return done;
    };
    try {
      program("mountpoint", "exit 0");
      expect(await asks()).toEqual([]);
      program("mountpoint", "exit 1");
      expect(await asks()).toContain(`mount STATE/files ${path}`);
      program("mountpoint", "exit 0");
      for (const said of ["Input/output error", "Operation not permitted", "Transport endpoint is not connected"]) {
        program("stat", `echo "stat: cannot statx '$1': ${said}" >&2; exit 1`);
        expect(await asks()).toContain(`mount STATE/files ${path}`);
      }
    } finally {
      for (const folder of [path, programs]) rmSync(folder, { recursive: true, force: true });
    }
  });

  it("holds nobody up when it cannot be had: the reason is kept, and it is tried again a while later", async () => {
    let fails = true;
    const { host, done } = container(() => (fails ? Promise.reject(new Error("no FUSE here")) : Promise.resolve()));
    const folder = new FolderMount(() => FOLDER, host);
    await folder.ensure();
    await folder.ensure();
    expect(await folder.status()).toEqual({ path: "/files", problem: "The folder /files is not there: no FUSE here" });
    expect(await new FolderMount(() => FOLDER, host).status()).toMatchObject({ problem: expect.any(String) });
    expect(done).toEqual(["unmount /files", "mount STATE/files /files", "rmdir /files || chmod 555 /files"]);
    fails = false;
    await vi.advanceTimersByTimeAsync(61_000);
    await folder.ensure();
    expect(await folder.status()).toEqual({ path: "/files" });
  });

  it("is given up when mounting it takes too long", async () => {
    const { host } = container(() => new Promise(() => {}));
    const folder = new FolderMount(() => FOLDER, host);
    const tried = folder.ensure();
    await vi.advanceTimersByTimeAsync(20_000);
    await tried;
    expect((await folder.status()).problem).toMatch(/Not done within 20000 ms/);
  });
});
