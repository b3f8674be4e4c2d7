/** One argument for a POSIX shell: safe whatever it contains, except NUL, which no argument can carry. */
export function quote(argument: string): string {
  if (argument !== "" && /^[A-Za-z0-9_\-./:=@%+,]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** An argv as one shell line, for the interfaces that take nothing else. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(quote).join(" ");
}
