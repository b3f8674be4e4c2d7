/**
 * The system calls a jail may not make, as a classic BPF program for bwrap's --seccomp. Its processes have no
 * capability and no network; this closes the two ways the kernel leaves open all the same: user namespaces, in which
 * anyone is root over a large part of the kernel, and address families that a network namespace does not isolate, such
 * as AF_VSOCK, which leads from a virtual machine to what runs it.
 */

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const CLONE_NEWUSER = 0x1000_0000;
/** AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK for the list of interfaces. */
const ADDRESS_FAMILIES = [1, 2, 10, 16];

/** Numbers from the kernel's tables (asm/unistd.h), and the architecture's from linux/audit.h. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: {
    audit: 0xc000_003e,
    // Numbers from here on are the x32 variants of the same calls.
    numbersEnd: 0x4000_0000,
    clone: 56,
    unshare: 272,
    socket: 41,
    socketpair: 53,
    // pivot_root mount umount2 add_key request_key keyctl perf_event_open setns bpf userfaultfd
    denied: [155, 165, 166, 248, 249, 250, 298, 308, 321, 323],
  },
  arm64: {
    audit: 0xc000_00b7,
    numbersEnd: 0x4000_0000,
    clone: 220,
    unshare: 97,
    socket: 198,
    socketpair: 199,
    // The same calls in the same order.
    denied: [41, 40, 39, 217, 218, 219, 241, 268, 280, 282],
  },
};

interface Architecture {
  audit: number;
  numbersEnd: number;
  clone: number;
  unshare: number;
  socket: number;
  socketpair: number;
  denied: number[];
}

/** open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr: newer calls have one number everywhere. */
const DENIED_EVERYWHERE = [428, 429, 430, 431, 432, 433, 442];
/** Its flags are in memory, where a filter cannot look. The C library falls back to clone. */
const CLONE3 = 435;

/** Offsets in struct seccomp_data; of the first argument the lower half, which is where flags and families are. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const give = (action: number): Instruction => [0x06, 0, 0, action];
const equals = (value: number, ifTrue: number, ifFalse: number): Instruction => [0x15, ifTrue, ifFalse, value];
const atLeast = (value: number, ifTrue: number, ifFalse: number): Instruction => [0x35, ifTrue, ifFalse, value];
const hasBits = (value: number, ifTrue: number, ifFalse: number): Instruction => [0x45, ifTrue, ifFalse, value];

const ALLOW = give(0x7fff_0000);
const KILL = give(0x8000_0000);
const fail = (errno: number): Instruction => give(0x0005_0000 | errno);

/** `body` for the call with this number; every other call goes on behind it. */
function on(number: number, body: Instruction[]): Instruction[] {
  return [load(NUMBER), equals(number, 0, body.length), ...body];
}

/** The program, or nothing for an architecture whose numbers are not known here. */
export function jailFilter(architecture: NodeJS.Architecture): Buffer | undefined {
  const numbers = ARCHITECTURES[architecture];
  if (numbers === undefined) return undefined;
  const withoutNewUser = [load(FIRST_ARGUMENT), hasBits(CLONE_NEWUSER, 0, 1), fail(EPERM), ALLOW];
  const knownFamily = [
    load(FIRST_ARGUMENT),
    ...ADDRESS_FAMILIES.flatMap((family) => [equals(family, 0, 1), ALLOW]),
    fail(EAFNOSUPPORT),
  ];
  const program = [
    load(ARCHITECTURE),
    equals(numbers.audit, 1, 0),
    KILL,
    load(NUMBER),
    atLeast(numbers.numbersEnd, 0, 1),
    KILL,
    ...on(numbers.clone, withoutNewUser),
    ...on(numbers.unshare, withoutNewUser),
    ...on(CLONE3, [fail(ENOSYS)]),
    ...on(numbers.socket, knownFamily),
    ...on(numbers.socketpair, knownFamily),
    ...[...numbers.denied, ...DENIED_EVERYWHERE].flatMap((number) => on(number, [fail(EPERM)])),
    ALLOW,
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}
