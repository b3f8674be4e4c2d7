import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Failure } from "../../src/core/failure.ts";
import { aside, command } from "./command.ts";
import { described, downloadArchive, listGenerations } from "./generations.ts";
import { openPages } from "./pages.ts";
import { passing } from "./passing.ts";
import { findTarget, STATE_FOLDER } from "./target.ts";

const USAGE = "npm run export -- --to file.tar.gz [--generation 00000042] [--url https://…]";

/** `npm run export -- --to FILE`: a generation of the Moltbot's memory as a tar.gz that a person can open. */
command(async () => {
  const { to, generation, url, state } = parsed(process.argv.slice(2));
  const file = resolve(to);
  if (existsSync(file)) throw new Failure("conflict", `${file} is there already.`, { hint: "Choose another name." });
  const pages = await openPages(findTarget(url, state), process.env);
  const { all, head } = await listGenerations(pages);
  const chosen = generation === undefined ? head : all.find(({ id }) => id === generation);
  if (chosen === undefined) {
    throw new Failure(
      "not_found",
      generation === undefined ? "The Moltbot has no memory yet." : noGeneration(generation),
      {
        hint: all.length === 0 ? "Chat with it first." : `There are: ${all.map(({ id }) => id).join(", ")}.`,
      },
    );
  }
  aside(`· Exporting ${described(chosen)} (unpacked)`);
  await save(await downloadArchive(pages, chosen.id), file);
  aside("  It holds the Moltbot's own keys and everybody's conversations: keep it where only you can read it.");
  process.stdout.write(`${file}\n`);
});

function parsed(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        to: { type: "string" },
        generation: { type: "string" },
        url: { type: "string" },
        state: { type: "string", default: STATE_FOLDER },
      },
    });
    if (values.to === undefined || values.to === "") throw new Error("No file to write to was given.");
    return { ...values, to: values.to };
  } catch (error) {
    throw new Failure("invalid_input", error instanceof Error ? error.message : "Bad arguments.", { hint: USAGE });
  }
}

function noGeneration(id: string): string {
  return `There is no generation ${id}.`;
}

/** Under its name only once it is whole: the gzip checksum at its end tells. */
async function save(archive: ReadableStream<Uint8Array>, file: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  const handle = await open(draft, "wx", 0o600).catch((cause: unknown) => {
    throw new Failure("invalid_input", `${file} cannot be written: ${cause instanceof Error ? cause.message : ""}`, {
      cause,
    });
  });
  try {
    const [kept, checked] = archive.pipeThrough(passing("Exporting")).tee();
    const writing = (async () => {
      for await (const part of kept) await handle.writeFile(part);
    })();
    const unpacked = checked.pipeThrough(new DecompressionStream("gzip")).pipeTo(new WritableStream());
    await Promise.all([writing, unpacked]);
    await handle.sync();
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new Failure("unavailable", "The export broke off; nothing was kept of it.", {
      hint: "Try again; if it goes on, the Worker's log names the object that cannot be read.",
      cause,
    });
  } finally {
    await handle.close();
  }
}
