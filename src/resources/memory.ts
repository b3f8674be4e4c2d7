import { ownerMark } from "../chat/conversation.ts";
import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import { base64, decodeText, imageType } from "../sandbox/bytes.ts";
import { MEMORY_SCHEME, memoryUri } from "../tools/link.ts";
import { wholeNumber } from "./file.ts";
import { defineResource } from "./resource.ts";

/** Bytes. */
const SLICE = 20_000;
const MOST_BYTES = 1_000_000;
const MOST_SUGGESTIONS = 100;

export const memoryFile = defineResource({
  name: "memory",
  title: "A file of the Moltbot's memory",
  description: `A note or a conversation, such as memory:///workspace/MEMORY.md, also as it was in an older generation: text, or base64 for other bytes. ${SLICE} bytes from offset on, at most ${MOST_BYTES} with limit. Does not wake the Moltbot.`,
  uri: "memory:///{+path}{?generation,offset,limit}",
  scope: "memory",
  toolset: "memory",
  needs: ["memory"],
  complete: {
    async path(typed, { memory }, { principal }) {
      const reader = await ownerMark(principal);
      const request = { reader, prefix: typed, after: "", limit: MOST_SUGGESTIONS };
      return unwrap(await memory.list(request)).files.map(({ path }) => path);
    },
    generation: async (_typed, { memory }) => unwrap(await memory.generations()).map(({ id }) => id),
  },
  async read(uri, { memory }, { principal }) {
    if (uri.protocol !== MEMORY_SCHEME || uri.host !== "") return undefined;
    const generation = uri.searchParams.get("generation") ?? undefined;
    const offset = wholeNumber(uri, "offset", 0);
    const limit = Math.min(Math.max(wholeNumber(uri, "limit", SLICE), 4), MOST_BYTES);
    const reader = await ownerMark(principal);
    const request = { reader, path: decodedPath(uri), offset, limit, ...(generation ? { generation } : {}) };
    const { path, size, bytes } = unwrap(await memory.read(request));
    const decoded = decodeText(bytes, offset + bytes.byteLength >= size);
    const end = offset + (decoded?.taken ?? bytes.byteLength);
    const part = {
      uri: memoryUri(path, { generation, offset }),
      ...(end < size ? { next: memoryUri(path, { generation, offset: end }) } : {}),
    };
    if (decoded) return [{ ...part, mimeType: "text/plain", text: decoded.text }];
    return [{ ...part, mimeType: imageType(bytes) ?? "application/octet-stream", blob: base64(bytes) }];
  },
});

function decodedPath(uri: URL): string {
  try {
    return decodeURIComponent(uri.pathname.slice(1));
  } catch {
    throw new Failure("invalid_input", "The address has no path that could be one of the memory.");
  }
}
