import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { Failure } from "../../src/core/failure.ts";
import { aside, command } from "./command.ts";
import { described, type Generation, listGenerations, uploadArchive } from "./generations.ts";
import { openPages } from "./pages.ts";
import { passing } from "./passing.ts";
import { findTarget, STATE_FOLDER } from "./target.ts";

const USAGE = "npm run import -- file.tar.gz [--replace] [--url https://…]";

/** `npm run import -- FILE`: makes what an export holds the Moltbot's memory. */
command(async () => {
  const { file, replace, url, state } = parsed(process.argv.slice(2));
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Failure("not_found", `There is no file ${file}.`, { hint: USAGE });
  const target = findTarget(url, state);
  const pages = await openPages(target, process.env);
  const { all, head = all[0] } = await listGenerations(pages);
  if (head !== undefined && !replace) await confirm(target.url, head, file);
  const upload = (await openAsBlob(file)).stream().pipeThrough(passing("Importing", found.size));
  const made = await uploadArchive(pages, upload, { replace: head !== undefined });
  aside(`· The Moltbot's memory is now ${described(made)}.`);
  if (head !== undefined) aside(`  What it knew before can be put back: memory_restore ${head.id}, or a newer one.`);
});

function parsed(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        replace: { type: "boolean", default: false },
        url: { type: "string" },
        state: { type: "string", default: STATE_FOLDER },
      },
    });
    const [file, more] = positionals;
    if (file === undefined || more !== undefined) throw new Error("Give one file to import.");
    return { ...values, file };
  } catch (error) {
    throw new Failure("invalid_input", error instanceof Error ? error.message : "Bad arguments.", { hint: USAGE });
  }
}

/** Asks the person; a script has to say it in its arguments. */
async function confirm(url: string, head: Generation, file: string): Promise<void> {
  const question = `The Moltbot at ${url} has a memory: ${described(head)}.\n${file} would take its place.`;
  if (!process.stdin.isTTY) {
    throw new Failure("conflict", question, {
      hint: "Say that you mean it with --replace. What is there now stays a generation that can be put back.",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const said = await terminal.question(`${question} Type "replace" to go on: `);
    if (said.trim() !== "replace") throw new Failure("cancelled", "Nothing was changed.");
  } finally {
    terminal.close();
  }
}
