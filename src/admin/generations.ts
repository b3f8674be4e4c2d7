import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { type Reply, unwrap } from "../core/reply.ts";
import type { Generation, ImportedTrees, MemoryArchive, MemoryReader, MemoryStatus } from "../memory/access.ts";
import { generationSchema, type Manifest } from "../memory/format.ts";
import type { BotLifecycle } from "../sandbox/lifecycle.ts";
import { NOTHING } from "./input.ts";
import { route } from "./route.ts";

/** What the routes of the generations need. */
export interface GenerationsAdmin {
  memory: Pick<MemoryReader, "generations" | "restore" | "status"> & Pick<MemoryArchive, "manifest" | "takeIn">;
  /** A generation as a tar.gz, read out of the bucket as it is taken. */
  pack: (manifest: Manifest) => Promise<ReadableStream<Uint8Array>>;
  /** Stores what is in an archive, having checked all of it. */
  unpack: (archive: ReadableStream<Uint8Array>) => Promise<ImportedTrees>;
  /** `gatewayRest` commits what is there, and leaves the gateway stopped. */
  bot: Pick<BotLifecycle, "gatewayStatus" | "gatewayStart"> & { gatewayRest(): Promise<Reply<void>> };
}

/** As the memory has it; times in ISO 8601. */
export type GenerationView = Omit<Generation, "at"> & { at: string };

const ARCHIVE_TYPE = "application/gzip";

const oneOf = z.strictObject({ generation: generationSchema });

/** The generations of the memory, as a list and as archives. */
export const GENERATION_ROUTES = [
  route({
    method: "GET",
    path: "generations",
    input: NOTHING,
    run: (_input, { admin }) => listGenerations(admin.generations),
  }),
  route({
    method: "POST",
    path: "generations/restore",
    input: oneOf,
    run: (input, { admin }) => restoreGeneration(input, admin.generations),
  }),
  route({
    method: "GET",
    path: "generations/export",
    input: oneOf.partial(),
    run: (input, { admin }) => exportGeneration(input, admin.generations),
  }),
  route({
    method: "POST",
    path: "generations/import",
    streamed: true,
    input: z.strictObject({ replace: z.literal("true").optional() }),
    run: (input, { admin, request }) => importGeneration(request, input, admin.generations),
  }),
];

/** `GET generations`: newest first, and how the memory is kept. */
async function listGenerations({ memory }: GenerationsAdmin): Promise<{
  generations: GenerationView[];
  memory: Omit<MemoryStatus, "head" | "nextPrune"> & { head: GenerationView | null; nextPrune: string | null };
}> {
  const generations = unwrap(await memory.generations()).map(shown);
  const { head, nextPrune, ...status } = unwrap(await memory.status());
  return {
    generations,
    memory: { ...status, head: head && shown(head), nextPrune: nextPrune === null ? null : isoTime(nextPrune) },
  };
}

/** `POST generations/restore`: makes an older generation the present one; what was there stays a generation. */
async function restoreGeneration(
  { generation }: z.output<typeof oneOf>,
  { memory, bot }: GenerationsAdmin,
): Promise<GenerationView> {
  // Before the bot is stopped for it.
  requireKnown(generation, unwrap(await memory.generations()));
  return await replaced(bot, () => memory.restore(generation));
}

/** `GET generations/export?generation`: a generation, else the present one, as a tar.gz read out of the bucket as it is taken. */
async function exportGeneration(
  { generation }: { generation?: string | undefined },
  { memory, pack }: GenerationsAdmin,
): Promise<Response> {
  const known = unwrap(await memory.generations());
  const id = generation ?? unwrap(await memory.status()).head?.id;
  if (id === undefined) {
    throw new Failure("not_found", "The Moltbot has no memory yet.", { hint: "Chat with it first." });
  }
  requireKnown(id, known);
  const archive = await pack(unwrap(await memory.manifest(id)));
  return new Response(archive, {
    headers: { "content-type": ARCHIVE_TYPE, "content-disposition": `attachment; filename="moltbot-${id}.tar.gz"` },
  });
}

/**
 * `POST generations/import?replace`, the archive as the body: makes it the present generation. All of it is stored and
 * checked before the bot is stopped, and what the bot has then is committed first. Where there is a memory already,
 * `replace=true` says that its place is meant.
 */
async function importGeneration(
  { body, headers }: Request,
  { replace }: { replace?: "true" | undefined },
  { memory, unpack, bot }: GenerationsAdmin,
): Promise<GenerationView> {
  const requireConfirmed = async () => {
    if (replace === undefined && unwrap(await memory.generations()).length > 0) throw unconfirmed();
  };
  if (body === null || headers.get("content-type") !== ARCHIVE_TYPE) {
    throw new Failure("invalid_input", `The body has to be an archive, as ${ARCHIVE_TYPE}.`, {
      hint: "Send one that an export made.",
    });
  }
  await requireConfirmed();
  const trees = await unpack(body);
  // It may have come to have one meanwhile.
  await requireConfirmed();
  return await replaced(bot, () => memory.takeIn(trees));
}

/** Puts something in the memory's place while the bot rests. A bot that ran is started again, whatever came of it. */
async function replaced(
  bot: GenerationsAdmin["bot"],
  replace: () => Promise<Reply<Generation>>,
): Promise<GenerationView> {
  const { phase } = unwrap(await bot.gatewayStatus());
  unwrap(await bot.gatewayRest());
  try {
    return shown(unwrap(await replace()));
  } finally {
    const ran = phase !== "asleep" && phase !== "failed" && phase !== "draining";
    const begun = ran ? await bot.gatewayStart() : undefined;
    if (begun?.ok === false) log("warn", "admin.generations", { outcome: "not started", failure: begun.failure.code });
  }
}

function requireKnown(id: string, known: readonly Generation[]): void {
  if (known.some((each) => each.id === id)) return;
  throw new Failure("not_found", `There is no generation ${id}.`, { hint: "Choose one of the list." });
}

function unconfirmed(): Failure {
  return new Failure(
    "conflict",
    "The Moltbot has a memory already, and nothing says that the archive is to replace it.",
    {
      hint: "Send it with ?replace=true. What is there now stays a generation that can be put back.",
    },
  );
}

function shown({ at, ...rest }: Generation): GenerationView {
  return { ...rest, at: isoTime(at) };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
