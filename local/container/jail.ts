import { spawn, type ChildProcess } from 'node:child_process';
import { lstat, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { jailIdentity, prepareDirectories, type Identity, type JailDirectories } from './jail-directories.ts';
import { SOCKET_DIRECTORY } from './server/wire.ts';

/** Processes and threads of a whole jail. The commands in it have less together: see server/shell.ts. */
const PROCESS_LIMIT = 512;
const OPEN_FILE_LIMIT = 8192;
const MIB = 1024 * 1024;
/** The machine's own work goes first. */
const NICENESS = 5;

/** The directories of a system that a shell and its programs need, where they are not links into /usr. */
const SYSTEM_DIRECTORIES = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Of the machine's /etc, all that is visible inside: nothing here is secret. The rest of /etc is made: see jail-directories.ts. */
const SYSTEM_ETC = [
  'alternatives',
  'ca-certificates',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
];

export interface JailPlan {
  identity: Identity;
  directories: JailDirectories;
  /** Mount arguments for the system directories: see `systemMounts`. */
  system: string[];
  /** What else is visible, read-only: path inside → path outside. */
  readOnly: Record<string, string>;
  env: Record<string, string>;
}

/** bwrap's arguments for a jail's own root, with no way out but the sockets handed in. Pure. */
export function jailArguments({ identity, directories, system, readOnly, env }: JailPlan): string[] {
  const directory = (path: string) => ['--perms', '0755', '--dir', path];
  const scratch = (path: string, mib: number) => ['--perms', '1777', '--size', String(mib * MIB), '--tmpfs', path];
  return [
    ...(identity.kind === 'root' ? AS_ROOT : AS_USER),
    ...['--unshare-net', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--die-with-parent', '--new-session', '--clearenv', '--hostname', 'moltbot'],
    // Made first: bwrap would make them for the user that starts it, and for nobody else.
    ...parents(['/etc/ssl/certs', '/home/moltbot', '/var/tmp', ...Object.keys(readOnly)]).flatMap(directory),
    ...['--ro-bind', '/usr', '/usr', ...system],
    ...SYSTEM_ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...directories.etc.flatMap(({ name, path }) => ['--ro-bind', path, `/etc/${name}`]),
    ...['--proc', '/proc', '--dev', '/dev', ...scratch('/dev/shm', 64)],
    ...[...scratch('/tmp', 1024), ...scratch('/var/tmp', 64), ...scratch('/run', 16)],
    ...['--ro-bind', directories.sockets, SOCKET_DIRECTORY],
    ...['--bind', directories.home, '/home/moltbot', '--bind', directories.workspace, '/workspace'],
    ...Object.entries(readOnly).flatMap(([inside, outside]) => ['--ro-bind', outside, inside]),
    // Only now: until here bwrap makes the mount points.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', '/workspace'],
  ];
}

/** Every directory above the paths, outermost first. */
function parents(paths: string[]): string[] {
  const above = paths.flatMap((path) => {
    const names = path.split('/').slice(1, -1);
    return names.map((_name, index) => `/${names.slice(0, index + 1).join('/')}`);
  });
  return [...new Set(above)];
}

/**
 * Started as root, a jail has no user namespace: its processes get a user id of their own, because RLIMIT_NPROC does not
 * hold for kernel user 0, and files under /proc/sys are checked against it. These capabilities are what setpriv needs
 * to become that user; it gives them up on the way.
 */
const AS_ROOT = ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP'];
const AS_USER = ['--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL'];

/** What bwrap runs: `command` with its limits, as the jail's user. Absolute paths: nothing is looked up. */
function confined(identity: Identity, command: string[]): string[] {
  const limits = [`--nproc=${PROCESS_LIMIT}`, `--nofile=${OPEN_FILE_LIMIT}`, '--core=0'];
  const user = ['--reuid', String(identity.uid), '--regid', String(identity.uid), '--clear-groups'];
  const powers = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
  return [
    ...['/usr/bin/nice', '-n', String(NICENESS), '/usr/bin/prlimit', ...limits, '--'],
    ...(identity.kind === 'root' ? ['/usr/bin/setpriv', ...user, ...powers, '--'] : []),
    ...command,
  ];
}

export type Jail = ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };

/**
 * Starts `command` in a jail. bwrap itself gets an empty environment, as inside a user namespace /proc/1/environ shows
 * it, and its arguments through a pipe, as argv is for every user of the machine to see. Killing the process that is
 * returned, or its parent dying, ends everything in the jail.
 */
export function spawnJail(plan: JailPlan, command: string[]): Jail {
  const child = spawn('bwrap', ['--args', '3', '--', ...confined(plan.identity, command)], {
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C in a terminal is for the host, which then stops its jails in order.
    detached: true,
  });
  const [stdin, stdout, stderr, options] = child.stdio;
  if (stdin === null || stdout === null || stderr === null || !(options instanceof Socket)) {
    throw new Error('bwrap was started without pipes');
  }
  for (const pipe of [stdin, options]) pipe.on('error', () => undefined);
  options.end(jailArguments(plan).map((argument) => `${argument}\0`).join(''));
  return Object.assign(child, { stdin, stdout, stderr });
}

/** bwrap arguments that show the machine's programs and libraries inside, laid out as on the machine. */
export async function systemMounts(): Promise<string[]> {
  const mounts = await Promise.all(
    SYSTEM_DIRECTORIES.map(async (path) => {
      const info = await lstat(path).catch(() => undefined);
      if (info === undefined) return [];
      return info.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
    }),
  );
  return mounts.flat();
}

/** Starts an empty jail, to know before anything depends on it. Throws an Error that names the command that helps. */
export async function checkJail(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'moltbot-jail-'));
  try {
    const identity = await jailIdentity('check');
    const directories = await prepareDirectories(directory, identity);
    const plan = { identity, directories, system: await systemMounts(), readOnly: {}, env: {} };
    const jail = spawnJail(plan, ['/bin/bash', '-c', 'true']);
    let complaint = '';
    jail.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    jail.stdout.resume();
    const outcome = await new Promise<NodeJS.ErrnoException | number | null>((resolve) => {
      jail.on('error', resolve);
      jail.on('close', resolve);
    });
    if (outcome !== 0) throw new Error(await remedy(outcome, identity, complaint.trim()));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Kernel switches that forbid what a jail needs, with the value that does so. */
const SWITCHES = [
  { name: 'kernel.apparmor_restrict_unprivileged_userns', forbidding: '1', allowing: '0' },
  { name: 'kernel.unprivileged_userns_clone', forbidding: '0', allowing: '1' },
  { name: 'user.max_user_namespaces', forbidding: '0', allowing: '15000' },
] as const;

async function remedy(
  outcome: NodeJS.ErrnoException | number | null,
  identity: Identity,
  complaint: string,
): Promise<string> {
  if (outcome instanceof Error && outcome.code === 'ENOENT') {
    return 'bubblewrap is not installed: it keeps the bot away from your files. Run: sudo apt-get install bubblewrap';
  }
  if (outcome instanceof Error) return `bubblewrap cannot be started: ${outcome.message}`;
  if (identity.kind === 'user') {
    for (const { name, forbidding, allowing } of SWITCHES) {
      const value = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => undefined);
      if (value?.trim() === forbidding) {
        return `This machine does not let you make user namespaces (${complaint}). Run: sudo sysctl -w ${name}=${allowing}`;
      }
    }
  }
  return [
    `bubblewrap cannot make a jail: ${complaint || `exit code ${String(outcome)}`}.`,
    'It needs bubblewrap 0.8 or newer and util-linux (sudo apt-get install bubblewrap util-linux).',
    'In a container that forbids namespaces, start that container with: --privileged',
  ].join(' ');
}
