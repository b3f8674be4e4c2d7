import { Readable } from "node:stream";
import { z } from "zod";

/** A file as the bucket has it. */
const remoteFile = z.object({ path: z.string(), size: z.number(), stamp: z.string() });
export type RemoteFile = z.output<typeof remoteFile>;

/** The folder as it lies in the bucket. */
export interface RemoteFolder {
  list(): Promise<RemoteFile[]>;
  get(path: string): Promise<Readable>;
  put(file: RemoteFile, content: Readable): Promise<void>;
  remove(path: string): Promise<void>;
}

/** By the local Worker, which has the bucket. `door.ts` is its other side. */
export function remoteFolder(workerUrl: string, token: () => string): RemoteFolder {
  async function ask(method: string, query: Record<string, string>, body?: Readable): Promise<Response> {
    const url = new URL("/local/files", workerUrl);
    url.search = new URLSearchParams(query).toString();
    const response = await fetch(url, {
      method,
      headers: { "x-container-host-token": token() },
      ...(body ? { body: Readable.toWeb(body), duplex: "half" } : {}),
    });
    if (response.ok) return response;
    throw new Error(
      `The Worker answered ${method} ${query.path ?? ""} with ${response.status}: ${await response.text()}`,
    );
  }
  return {
    async list() {
      return z.array(remoteFile).parse(await (await ask("GET", {})).json());
    },
    async get(path) {
      const { body } = await ask("GET", { path });
      return body ? Readable.fromWeb(body) : Readable.from([]);
    },
    async put({ path, size, stamp }, content) {
      await (await ask("PUT", { path, size: String(size), stamp }, content)).body?.cancel();
    },
    async remove(path) {
      await (await ask("DELETE", { path })).body?.cancel();
    },
  };
}
