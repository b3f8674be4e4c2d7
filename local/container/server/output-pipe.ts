import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { errnoOf } from "./failure.ts";

/** Made with one `mkfifo`, which costs as much for one as for all. */
const BATCH = 16;

export interface OutputPipe {
  /** What is written into the pipe. Ends when its last writer has closed it. */
  readonly output: Readable;
  /** The end for a child's stdio, to be closed once the child has it. */
  readonly writeEnd: number;
}

const free: string[] = [];
let directory: string | undefined;

/**
 * A pipe for a child's output. Node itself would give the child a socket, and the everyday `echo oops > /dev/stderr`
 * cannot open one. Node cannot make pipes, so these are named ones, used again when they have been read to the end.
 */
export async function openOutputPipe(): Promise<OutputPipe> {
  const path = free.pop() ?? (await makePipes());
  try {
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // Does not wait, as there is a reader. Blocking for the child, which expects that of its stdout.
    const writeEnd = openSync(path, constants.O_WRONLY);
    const output = new Socket({ fd: readEnd, readable: true, writable: false });
    output.on("error", () => undefined);
    output.on("close", () => free.push(path));
    return { output, writeEnd };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    // Something inside has emptied /run.
    free.length = 0;
    directory = undefined;
    return openOutputPipe();
  }
}

export function closeWriteEnds(...pipes: OutputPipe[]): void {
  for (const { writeEnd } of pipes) closeSync(writeEnd);
}

let made = 0;

/** Fills the pool, and returns one that is not in it. */
async function makePipes(): Promise<string> {
  directory ??= await mkdtemp("/run/output-");
  const paths = Array.from({ length: BATCH }, () => `${directory}/${(made += 1)}`);
  const child = spawn("/usr/bin/mkfifo", ["-m", "600", ...paths], { stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error("mkfifo failed"))));
  });
  const [first, ...rest] = paths;
  if (first === undefined) throw new Error("No pipes were made");
  free.push(...rest);
  return first;
}
