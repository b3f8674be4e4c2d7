import { Failure } from "../../src/core/failure.ts";

/** Runs a command-line program: a failure becomes its message, its hint and exit code 1. */
export function command(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    if (error instanceof Failure) process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ""}`);
    else process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

/** A line for the person, beside what the program prints for others to read. */
export function aside(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Tells a person where to sign in, without mixing it into what the program prints. */
export function showSignIn(url: string): void {
  aside(`Open this address in a browser on this machine and sign in:\n\n${url}\n`);
}
