import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { Folder, OpenFile } from "../files/access.ts";
import { isFilePath } from "../files/folder.ts";

import { isInert, typeOf } from "../files/types.ts";
import { NOTHING } from "./input.ts";
import { route } from "./route.ts";

/** What the address of one file begins with, behind /admin/api/. */
const ONE_FILE = "files/";

const pageSchema = z.strictObject({ prefix: z.string().max(1024).optional(), cursor: z.string().max(2048).optional() });

/** The large files, as the bot put them into its folder. */
export const FILE_ROUTES = [
  route({ method: "GET", path: "files", input: pageSchema, run: (page, { admin }) => listFiles(page, admin.files) }),
  route({
    method: "GET",
    path: ONE_FILE,
    below: true,
    input: NOTHING,
    run: (_input, { admin, request }) => readFile(request, admin.files),
  }),
];

/** `GET files?prefix&cursor`: a page of the large files by their path within the folder. */
async function listFiles(
  { prefix = "", cursor }: z.output<typeof pageSchema>,
  store: Folder,
): Promise<{ files: { path: string; size: number; modified: string }[]; cursor?: string }> {
  const page = await store.page(prefix, { cursor, flat: true });
  return {
    files: page.files.map(({ path, size, modified }) => ({ path, size, modified: modified.toISOString() })),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}

/**
 * `GET files/<path>`: the bytes, or the range of them that is asked for. The bot made them: a browser shows pictures,
 * videos and text, saves everything else, and runs nothing.
 */
async function readFile(request: Request, store: Folder): Promise<Response> {
  const path = pathOf(request);
  const stat = await store.stat(path);
  if (!stat) throw new Failure("not_found", `There is no file ${path}.`);
  const { size, etag, modified } = stat;
  const type = typeOf(path);
  const headers = new Headers({
    "content-type": type.startsWith("text/") ? `${type}; charset=utf-8` : type,
    "content-disposition": `${isInert(type) ? "inline" : "attachment"}; filename*=UTF-8''${encodedName(path)}`,
    "content-security-policy": "default-src 'none'; sandbox",
    "accept-ranges": "bytes",
    "last-modified": modified.toUTCString(),
    etag,
  });
  const range = rangeOf(request, { size, etag });
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const file = await store.open(path, range ?? { offset: 0 });
  if (file?.etag !== etag) throw changed(path, file);
  const length = range?.length ?? size;
  headers.set("content-length", String(length));
  if (range) headers.set("content-range", `bytes ${range.offset}-${range.offset + length - 1}/${size}`);
  return new Response(file.content, { status: range ? 206 : 200, headers });
}

function pathOf(request: Request): string {
  try {
    const path = decodeURIComponent(after(ONE_FILE, new URL(request.url).pathname));
    if (isFilePath(path)) return path;
  } catch {
    // Said below.
  }
  throw new Failure("invalid_input", "The address names no file of the folder.");
}

function after(part: string, text: string): string {
  return text.slice(text.indexOf(part) + part.length);
}

/** RFC 8187: what is no letter, digit or one of a few signs is escaped. */
function encodedName(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** One range as browsers and download programs ask for it. Undefined: all of it. */
function rangeOf(
  request: Request,
  { size, etag }: { size: number; etag: string },
): { offset: number; length: number } | "unsatisfiable" | undefined {
  const condition = request.headers.get("if-range");
  if (condition !== null && condition !== etag) return undefined;
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.get("range") ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (offset >= size || (first === "" && last === "0")) return "unsatisfiable";
  // One that ends before it begins is to be ignored.
  return end > offset ? { offset, length: end - offset } : undefined;
}

function changed(path: string, file: OpenFile | undefined): Failure {
  return new Failure(file ? "conflict" : "not_found", `${path} has just been ${file ? "changed" : "deleted"}.`, {
    hint: "Ask again.",
  });
}
