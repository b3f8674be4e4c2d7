import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import { base64, decodeText, imageType, readRange } from "../sandbox/bytes.ts";
import { fileUri, FILE_SCHEME } from "../tools/link.ts";
import type { FileHost } from "../tools/services.ts";
import { type Contents, defineResource } from "./resource.ts";

/** Bytes. What a reader gets who names no limit: a model's context holds it. */
const DEFAULT_BYTES = 20_000;
/** Bytes. For programs, which may have more; pictures come whole up to it. */
const MOST_BYTES = 1_000_000;

export const workspaceFile = defineResource({
  name: "file",
  title: "A file in the sandbox",
  description: `A file, such as moltbot-file:///workspace/notes.md: text, or base64 for other bytes. ${DEFAULT_BYTES} bytes from offset on, at most ${MOST_BYTES} with limit; a picture comes whole.`,
  uri: "moltbot-file:///{+path}{?offset,limit}",
  scope: "exec",
  toolset: "file",
  needs: ["files", "bot"],
  complete: {
    async path(typed, { files, bot }) {
      const directory = typed.slice(0, typed.lastIndexOf("/") + 1) || "workspace/";
      // To wake the sandbox is not worth a few letters saved.
      const wakes = files.needsContainer(`/${directory}`) && unwrap(await bot.gatewayStatus()).phase !== "ready";
      if (wakes) return [];
      const entries = unwrap(await files.directory(`/${directory}`, { recursive: false, hidden: false }));
      return entries.map(({ path, type }) => path.slice(1) + (type === "directory" ? "/" : ""));
    },
  },
  async read(uri, { files }) {
    if (uri.protocol !== FILE_SCHEME || uri.host !== "") return undefined;
    const path = decodedPath(uri);
    const offset = wholeNumber(uri, "offset", 0);
    const limit = Math.min(Math.max(wholeNumber(uri, "limit", DEFAULT_BYTES), 4), MOST_BYTES);
    return [await slice(files, path, offset, limit)];
  },
});

async function slice(files: FileHost, path: string, offset: number, limit: number): Promise<Contents> {
  const file = unwrap(await files.openFile(path, offset));
  const picture = offset === 0 && file.size <= MOST_BYTES && file.mimeType.startsWith("image/");
  const bytes = await readRange(file.content, offset - (file.offset ?? 0), picture ? file.size : limit);
  const mimeType = offset === 0 ? imageType(bytes) : undefined;
  const uri = fileUri(path, offset);
  const decoded = mimeType === undefined ? decodeText(bytes, offset + bytes.byteLength >= file.size) : undefined;
  const end = offset + (decoded?.taken ?? bytes.byteLength);
  const rest = end < file.size ? { next: fileUri(path, end) } : {};
  if (decoded) return { uri, mimeType: "text/plain", text: decoded.text, ...rest };
  return { uri, mimeType: mimeType ?? "application/octet-stream", blob: base64(bytes), ...rest };
}

function decodedPath(uri: URL): string {
  try {
    const path = decodeURIComponent(uri.pathname);
    if (path.startsWith("/") && !path.includes("\0")) return path;
  } catch {
    // Said below.
  }
  throw new Failure("invalid_input", "The address has no path that could be one in the sandbox.");
}

/** A number of the address's query. */
export function wholeNumber(uri: URL, name: string, fallback: number): number {
  const value = uri.searchParams.get(name);
  if (value === null) return fallback;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new Failure("invalid_input", `${name} must be a whole number.`);
}
