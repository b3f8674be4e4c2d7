import { createHash } from "node:crypto";
import { chmod, lchown, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Who the processes of a jail are, outside. Started as root: a user id that is nobody's. Else: the user itself, who is
 * number 1000 inside.
 */
export interface Identity {
  kind: "root" | "user";
  /** The user and group id inside the jail. */
  uid: number;
}

/** Ids from here on are given to no one: beyond what adduser, systemd and the subordinate ranges of containers use. */
const FIRST_JAIL_UID = 1_900_000_000;
/** Inside a container whose user namespace maps fewer: between the dynamic range of systemd and `nobody`. */
const FIRST_SMALL_UID = 65_000;
const SMALL_UIDS = 500;

/**
 * One id per jail, always the same for the same folder: limits are counted by user id, so two that shared one would
 * take each other's share, and its files are its own.
 */
export async function jailIdentity(folder: string): Promise<Identity> {
  if (process.getuid?.() !== 0) return { kind: "user", uid: 1000 };
  const number = createHash("sha256").update(folder).digest().readUInt16BE();
  const map = await readFile("/proc/self/uid_map", "utf8");
  const mapped = map.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const wide = mapped.some(([first = 0, , length = 0]) => first + length > FIRST_JAIL_UID + 0xff_ff);
  return { kind: "root", uid: wide ? FIRST_JAIL_UID + number : FIRST_SMALL_UID + (number % SMALL_UIDS) };
}

export interface JailDirectories {
  home: string;
  workspace: string;
  sockets: string;
  /** The folder for large files, if this machine keeps one. */
  files?: string;
  /** The files of the jail's own /etc. */
  etc: { name: string; path: string }[];
}

/**
 * Makes `<root>/{home,workspace}`, which are kept, and `<root>/{run,etc}`, which are made anew: what a host that was
 * killed left there is stale. The jail's user owns the kept ones, and can write nowhere else.
 */
export async function prepareDirectories(root: string, identity: Identity, files?: string): Promise<JailDirectories> {
  const home = join(root, "home");
  const workspace = join(root, "workspace");
  const sockets = join(root, "run");
  const etc = join(root, "etc");
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const stale of [sockets, etc]) {
    await rm(stale, { recursive: true, force: true });
    await mkdir(stale, { mode: 0o755 });
    // Whatever the umask is: the jail's user has to be able to look inside.
    await chmod(stale, 0o755);
  }
  for (const kept of [home, workspace]) {
    await mkdir(kept, { recursive: true, mode: 0o755 });
    if (identity.kind === "root") await own(kept, identity.uid);
  }
  if (files !== undefined && identity.kind === "root") await own(files, identity.uid);
  const written = Object.entries(etcFiles(identity.uid));
  return {
    home,
    workspace,
    sockets,
    ...(files === undefined ? {} : { files }),
    etc: await Promise.all(
      written.map(async ([name, content]) => {
        const path = join(etc, name);
        await writeFile(path, content);
        await chmod(path, 0o644);
        return { name, path };
      }),
    ),
  };
}

/** Names are resolved outside, by the egress proxy: the jail knows its loopback addresses only. */
function etcFiles(uid: number): Record<string, string> {
  return {
    passwd: [
      "root:x:0:0:root:/root:/usr/sbin/nologin",
      `moltbot:x:${uid}:${uid}:Moltbot:/home/moltbot:/bin/bash`,
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
      "",
    ].join("\n"),
    group: ["root:x:0:", `moltbot:x:${uid}:`, "nogroup:x:65534:", ""].join("\n"),
    hosts: ["127.0.0.1 localhost moltbot", "::1 localhost", ""].join("\n"),
    "resolv.conf": "# There is no name server: HTTP goes through the proxy in HTTP_PROXY.\n",
    "nsswitch.conf": ["passwd: files", "group: files", "hosts: files", ""].join("\n"),
  };
}

/** Gives a kept tree to the jail's user, when another one (the host was not root before) has it. Follows no links. */
async function own(path: string, uid: number): Promise<void> {
  const info = await lstat(path);
  if (info.uid === uid && info.gid === uid) return;
  if (info.isDirectory()) for (const name of await readdir(path)) await own(join(path, name), uid);
  await lchown(path, uid, uid);
}
