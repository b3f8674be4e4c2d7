import { z } from "zod";
import { FOLDER_PREFIX, isFilePath } from "../../src/files/folder.ts";

/** For the host of the containers alone. */
export const FILES_DOOR = "/local/files";

const fileSchema = z.object({
  path: z.string().refine(isFilePath),
  size: z.coerce.number().int().min(0),
  stamp: z.string().max(100),
});
const pathSchema = fileSchema.pick({ path: true });

/** The folder for large files in the bucket, for the host that keeps the folder on this machine. The caller is known. */
export async function handleFilesDoor(request: Request, bucket: R2Bucket): Promise<Response> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  if (request.method === "GET" && !("path" in query)) return Response.json(await list(bucket));
  if (request.method === "PUT") {
    const file = fileSchema.safeParse(query);
    if (!file.success) return new Response("no such file can be kept", { status: 400 });
    const { path, size, stamp } = file.data;
    const fixed = new FixedLengthStream(size);
    const body = request.body ?? new Blob([]).stream();
    await Promise.all([
      body.pipeTo(fixed.writable),
      bucket.put(FOLDER_PREFIX + path, fixed.readable, { customMetadata: { stamp } }),
    ]);
    return new Response(null, { status: 204 });
  }
  const { path } = pathSchema.parse(query);
  if (request.method === "DELETE") {
    await bucket.delete(FOLDER_PREFIX + path);
    return new Response(null, { status: 204 });
  }
  const object = await bucket.get(FOLDER_PREFIX + path);
  return object ? new Response(object.body) : new Response("there is none", { status: 404 });
}

async function list(bucket: R2Bucket): Promise<{ path: string; size: number; stamp: string }[]> {
  const files: { path: string; size: number; stamp: string }[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list({
      prefix: FOLDER_PREFIX,
      include: ["customMetadata"],
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { key, size, customMetadata } of page.objects) {
      const path = key.slice(FOLDER_PREFIX.length);
      if (isFilePath(path)) files.push({ path, size, stamp: customMetadata?.stamp ?? "" });
    }
    if (!page.truncated) return files;
    cursor = page.cursor;
  }
}
