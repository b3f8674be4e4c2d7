import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { type Reply, unwrap } from "../core/reply.ts";
import type { Generation, MemoryArchive, MemoryReader, MemoryStatus } from "../memory/access.ts";
import { exportArchive } from "../memory/archive/export.ts";
import { importArchive, readAway } from "../memory/archive/import.ts";
import { generationSchema } from "../memory/format.ts";
import type { MemoryStore } from "../memory/store.ts";
import type { BotLifecycle } from "../sandbox/lifecycle.ts";

/** What the routes of the generations need. */
export interface GenerationsAdmin {
  memory: Pick<MemoryReader, "generations" | "restore" | "status"> & MemoryArchive;
  store: MemoryStore;
  /** `gatewayRest` commits what is there, and leaves the gateway stopped. */
  bot: Pick<BotLifecycle, "gatewayStatus" | "gatewayStart"> & { gatewayRest(): Promise<Reply<void>> };
}

/** As the memory has it; times in ISO 8601. */
export type GenerationView = Omit<Generation, "at"> & { at: string };

const ARCHIVE_TYPE = "application/gzip";

const exportQuery = z.strictObject({ generation: generationSchema.optional() });
const importQuery = z.strictObject({ replace: z.literal("true").optional() });
export const restoreSchema = z.strictObject({ generation: generationSchema });

/** `GET generations`: newest first, and how the memory is kept. */
export async function listGenerations({ memory }: GenerationsAdmin): Promise<{
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
export async function restoreGeneration(
  { generation }: z.output<typeof restoreSchema>,
  { memory, bot }: GenerationsAdmin,
): Promise<GenerationView> {
  return await replaced(bot, () => memory.restore(generation));
}

/** `GET generations/export?generation`: a generation, else the present one, as a tar.gz read out of the bucket as it is taken. */
export async function exportGeneration(request: Request, { memory, store }: GenerationsAdmin): Promise<Response> {
  const { generation } = queryOf(request, exportQuery);
  const known = unwrap(await memory.generations());
  const id = generation ?? unwrap(await memory.status()).head?.id;
  if (id === undefined) {
    throw new Failure("not_found", "The Moltbot has no memory yet.", { hint: "Chat with it first." });
  }
  if (!known.some((each) => each.id === id)) {
    throw new Failure("not_found", `There is no generation ${id}.`, { hint: "Choose one of the list." });
  }
  const archive = await exportArchive(unwrap(await memory.manifest(id)), store);
  return new Response(archive, {
    headers: { "content-type": ARCHIVE_TYPE, "content-disposition": `attachment; filename="moltbot-${id}.tar.gz"` },
  });
}

/**
 * `POST generations/import?replace`, the archive as the body: makes it the present generation. All of it is stored and
 * checked before the bot is stopped, and what the bot has then is committed first. Where there is a memory already,
 * `replace=true` says that its place is meant.
 */
export async function importGeneration(
  request: Request,
  { memory, store, bot }: GenerationsAdmin,
): Promise<GenerationView> {
  const { body } = request;
  const requireConfirmed = async (replace: string | undefined) => {
    if (replace === undefined && unwrap(await memory.generations()).length > 0) throw unconfirmed();
  };
  try {
    if (body === null || request.headers.get("content-type") !== ARCHIVE_TYPE) {
      throw new Failure("invalid_input", `The body has to be an archive, as ${ARCHIVE_TYPE}.`, {
        hint: "Send one that an export made.",
      });
    }
    const { replace } = queryOf(request, importQuery);
    await requireConfirmed(replace);
    const trees = await importArchive(body, memory, store);
    // It may have come to have one meanwhile.
    await requireConfirmed(replace);
    return await replaced(bot, () => memory.takeIn(trees));
  } finally {
    if (body?.locked === false) await readAway(body);
  }
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
    const begun = phase === "asleep" || phase === "failed" ? undefined : await bot.gatewayStart();
    if (begun?.ok === false) log("warn", "admin.generations", { outcome: "not started", failure: begun.failure.code });
  }
}

function queryOf<T>(request: Request, schema: z.ZodType<T>): T {
  const { searchParams } = new URL(request.url);
  const given = Object.fromEntries(searchParams);
  const query = schema.safeParse(given);
  // A name given twice would silently count once.
  if (query.success && Object.keys(given).length === searchParams.size) return query.data;
  throw new Failure("invalid_input", "The address's query is not what this route takes.", {
    hint: "A generation has eight digits; replace is true or left out.",
  });
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
