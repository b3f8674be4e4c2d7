import { z } from "zod";
import type { Pages } from "./pages.ts";

const PATH = "/admin/api/generations";
const ARCHIVE_TYPE = "application/gzip";

const generationSchema = z.object({ id: z.string(), at: z.string(), files: z.number(), bytes: z.number() });
const listSchema = z.object({
  generations: z.array(generationSchema),
  memory: z.object({ head: generationSchema.nullable() }),
});
export type Generation = z.output<typeof generationSchema>;

/** The generations there are, and which one is the present one. */
export async function listGenerations(pages: Pages): Promise<{ all: Generation[]; head: Generation | undefined }> {
  const { generations, memory } = listSchema.parse(await (await pages.ask(PATH)).json());
  return { all: generations, head: memory.head ?? undefined };
}

/** A generation's archive as it arrives. */
export async function downloadArchive(pages: Pages, id: string): Promise<ReadableStream<Uint8Array>> {
  const { body } = await pages.ask(`${PATH}/export?generation=${encodeURIComponent(id)}`);
  return body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/** Makes an archive the present generation. */
export async function uploadArchive(
  pages: Pages,
  body: ReadableStream<Uint8Array>,
  { replace }: { replace: boolean },
): Promise<Generation> {
  const response = await pages.ask(`${PATH}/import${replace ? "?replace=true" : ""}`, {
    method: "POST",
    headers: { "content-type": ARCHIVE_TYPE },
    body,
    duplex: "half",
  });
  return generationSchema.parse(await response.json());
}

/** For people: "generation 00000042 of 2026-11-25T20:35:00.000Z, 31 files, 1.8 MB". */
export function described({ id, at, files, bytes }: Generation): string {
  return `generation ${id} of ${at}, ${files} files, ${megabytes(bytes)}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
