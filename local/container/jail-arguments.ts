import type { Identity, JailDirectories } from "./jail-directories.ts";
import { SOCKET_DIRECTORY } from "./server/wire.ts";

/** Processes and threads of a whole jail. The commands in it have less together: see server/shell.ts. */
const PROCESS_LIMIT = 1024;
const OPEN_FILE_LIMIT = 8192;
/** The machine's own work goes first. */
const NICENESS = 5;
const MIB = 1024 * 1024;

/** Of the machine's /etc, all that is visible inside: nothing here is secret. The rest is made: see jail-directories.ts. */
const SYSTEM_ETC = [
  "alternatives",
  "ca-certificates",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "protocols",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
  "timezone",
];

export interface JailPlan {
  identity: Identity;
  directories: JailDirectories;
  /** bwrap arguments for the machine's programs and libraries: see `systemMounts`. */
  system: string[];
  /** What else is visible, read-only: path inside → path outside. */
  readOnly: Record<string, string>;
  env: Record<string, string>;
}

/**
 * Started as root, a jail has no user namespace: its processes get a user id of their own, because RLIMIT_NPROC does not
 * hold for kernel user 0, and files under /proc/sys are checked against it. These capabilities are what setpriv needs
 * to become that user; it gives them up on the way.
 */
const AS_ROOT = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"];
const AS_USER = ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"];

/** bwrap's arguments for a jail: a root of its own, and no way out but the sockets handed in. */
export function jailArguments({ identity, directories, system, readOnly, env }: JailPlan): string[] {
  const groups = [
    identity.kind === "root" ? AS_ROOT : AS_USER,
    ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "moltbot"],
    // Made first: bwrap would make them for the user that starts it, and for nobody else.
    parents(["/etc/ssl/certs", "/home/moltbot", "/var/tmp", ...Object.keys(readOnly)]).flatMap(directory),
    ["--ro-bind", "/usr", "/usr", ...system],
    SYSTEM_ETC.flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    directories.etc.flatMap(({ name, path }) => ["--ro-bind", path, `/etc/${name}`]),
    ["--proc", "/proc", "--dev", "/dev"],
    [scratch("/dev/shm", 64), scratch("/tmp", 1024), scratch("/var/tmp", 64), scratch("/run", 16)].flat(),
    ["--ro-bind", directories.sockets, SOCKET_DIRECTORY],
    ["--bind", directories.home, "/home/moltbot", "--bind", directories.workspace, "/workspace"],
    directories.files === undefined ? [] : ["--bind", directories.files, "/files"],
    Object.entries(readOnly).flatMap(([inside, outside]) => ["--ro-bind", outside, inside]),
    // Only now: until here bwrap makes the mount points.
    ["--remount-ro", "/dev", "--remount-ro", "/"],
    Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
    ["--chdir", "/workspace"],
  ];
  return groups.flat();
}

/** What bwrap runs: `command` with its limits, as the jail's user. Absolute paths: nothing is looked up. */
export function confinedCommand(identity: Identity, command: string[]): string[] {
  const limits = [`--nproc=${PROCESS_LIMIT}`, `--nofile=${OPEN_FILE_LIMIT}`, "--core=0"];
  const limited = ["/usr/bin/nice", "-n", String(NICENESS), "/usr/bin/prlimit", ...limits, "--"];
  if (identity.kind === "user") return [...limited, ...command];
  const user = ["--reuid", String(identity.uid), "--regid", String(identity.uid), "--clear-groups"];
  const powers = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
  return [...limited, "/usr/bin/setpriv", ...user, ...powers, "--", ...command];
}

function directory(path: string): string[] {
  return ["--perms", "0755", "--dir", path];
}

function scratch(path: string, mib: number): string[] {
  return ["--perms", "1777", "--size", String(mib * MIB), "--tmpfs", path];
}

/** Every directory above the paths, outermost first. */
function parents(paths: string[]): string[] {
  const above = paths.flatMap((path) => {
    const names = path.split("/").slice(1, -1);
    return names.map((_name, index) => `/${names.slice(0, index + 1).join("/")}`);
  });
  return [...new Set(above)];
}
