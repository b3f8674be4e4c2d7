import { spawn, type ChildProcess } from "node:child_process";
import { lstat, mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { confinedCommand, jailArguments, type JailPlan } from "./jail-arguments.ts";
import { jailIdentity, prepareDirectories, type Identity } from "./jail-directories.ts";
import { jailFilter } from "./seccomp.ts";

/** The directories of a system that a shell and its programs need, where they are not links into /usr. */
const SYSTEM_DIRECTORIES = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

export type Jail = ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };

/**
 * Starts `command` in a jail. bwrap itself gets an empty environment, as inside a user namespace /proc/1/environ shows
 * it, and its arguments through a pipe, as argv is for every user of the machine to see. Killing the process that is
 * returned, or its parent dying, ends everything in the jail.
 */
export function spawnJail(plan: JailPlan, command: string[]): Jail {
  const filter = jailFilter(process.arch);
  const seccomp = filter === undefined ? [] : ["--seccomp", "4"];
  const child = spawn("bwrap", ["--args", "3", ...seccomp, "--", ...confinedCommand(plan.identity, command)], {
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"],
    // Its own process group: Ctrl-C in a terminal is for the host, which then stops its jails in order.
    detached: true,
  });
  const { stdin, stdout, stderr } = child;
  stdin.on("error", () => undefined);
  const options = jailArguments(plan).map((argument) => `${argument}\0`);
  for (const [number, content] of [
    [3, options.join("")],
    [4, filter ?? ""],
  ] as const) {
    const pipe = child.stdio[number];
    if (!(pipe instanceof Socket)) throw new Error("bwrap was started without pipes");
    pipe.on("error", () => undefined);
    pipe.end(content);
  }
  return Object.assign(child, { stdin, stdout, stderr });
}

/** bwrap arguments that show the machine's programs and libraries inside, laid out as on the machine. */
export async function systemMounts(): Promise<string[]> {
  const mounts = await Promise.all(
    SYSTEM_DIRECTORIES.map(async (path) => {
      const info = await lstat(path).catch(() => undefined);
      if (info === undefined) return [];
      return info.isSymbolicLink() ? ["--symlink", await readlink(path), path] : ["--ro-bind", path, path];
    }),
  );
  return mounts.flat();
}

/** Starts an empty jail, to know before anything depends on it. Throws an Error that names the command that helps. */
export async function checkJail(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "moltbot-jail-"));
  try {
    const identity = await jailIdentity("check");
    const directories = await prepareDirectories(directory, identity);
    const plan = { identity, directories, system: await systemMounts(), readOnly: {}, env: {} };
    const jail = spawnJail(plan, ["/bin/bash", "-c", "true"]);
    let complaint = "";
    jail.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    jail.stdout.resume();
    const outcome = await new Promise<NodeJS.ErrnoException | number | null>((resolve) => {
      jail.on("error", resolve);
      jail.on("close", resolve);
    });
    if (outcome !== 0) throw new Error(await remedy(outcome, identity, complaint.trim()));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Kernel switches that forbid what a jail needs, with the value that does so. */
const SWITCHES = [
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbidding: "1", allowing: "0" },
  { name: "kernel.unprivileged_userns_clone", forbidding: "0", allowing: "1" },
  { name: "user.max_user_namespaces", forbidding: "0", allowing: "15000" },
] as const;

async function remedy(
  outcome: NodeJS.ErrnoException | number | null,
  identity: Identity,
  complaint: string,
): Promise<string> {
  if (outcome instanceof Error && outcome.code === "ENOENT") {
    return "bubblewrap is not installed: it keeps the bot away from your files. Run: sudo apt-get install bubblewrap";
  }
  if (outcome instanceof Error) return `bubblewrap cannot be started: ${outcome.message}`;
  if (identity.kind === "user") {
    for (const { name, forbidding, allowing } of SWITCHES) {
      const value = await readFile(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").catch(() => undefined);
      if (value?.trim() === forbidding) {
        return `This machine does not let you make user namespaces (${complaint}). Run: sudo sysctl -w ${name}=${allowing}`;
      }
    }
  }
  return [
    `bubblewrap cannot make a jail: ${complaint || `exit code ${String(outcome)}`}.`,
    "It needs bubblewrap 0.8 or newer and util-linux (sudo apt-get install bubblewrap util-linux).",
    "In a container that forbids namespaces, start that container with: --privileged",
  ].join(" ");
}
