import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { packTar, type TarEntry } from "modern-tar";

/** What an export of a memory with these files would be; a string is a file's text. */
export async function archiveOf(files: Record<string, string | Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const given = Object.entries(files).map(([path, content]) => ({ path, body: Buffer.from(content) }));
  const contents = {
    moltbot: 1,
    generation: "00000001",
    at: new Date(0).toISOString(),
    leftOut: [],
    files: given.map(({ path, body }) => ({
      path,
      kind: "file",
      size: body.byteLength,
      mode: 0o644,
      modified: 1_700_000_000_000,
      sha256: createHash("sha256").update(body).digest("hex"),
    })),
  };
  const all = [{ path: "manifest.json", body: Buffer.from(JSON.stringify(contents)) }, ...given];
  const entries: TarEntry[] = all.map(({ path, body }) => ({ header: { name: path, size: body.byteLength }, body }));
  return new Uint8Array(gzipSync(await packTar(entries)));
}
