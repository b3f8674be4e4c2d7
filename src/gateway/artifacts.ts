import { z } from "zod";
import { raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { GatewayAccess } from "./access.ts";
import type { GatewayConnection, RequestOptions } from "./connection.ts";

const artifact = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string().catch("file"),
  mimeType: z.string().optional(),
  sizeBytes: z.number().optional(),
});
const list = z.object({ artifacts: z.array(artifact) });
const download = z.union([
  z.object({ encoding: z.literal("base64"), data: z.string() }),
  z.object({ url: z.string().startsWith("/") }),
]);

export type Artifact = z.infer<typeof artifact>;

/** Files that the bot itself put into its answer; not those its tools only looked at. */
export async function listArtifacts(
  connection: GatewayConnection,
  run: { session: string; runId: string },
  options: RequestOptions = {},
): Promise<Artifact[]> {
  const params = { sessionKey: run.session, runId: run.runId, messageRole: "assistant" };
  return (await connection.request("artifacts.list", params, list, options)).artifacts;
}

/** The bytes, base64. Throws Failure("too_large") beyond `limit` bytes. */
export async function downloadArtifact(
  access: GatewayAccess,
  connection: GatewayConnection,
  file: { session: string; id: string; limit: number },
  options: RequestOptions = {},
): Promise<string> {
  const params = { sessionKey: file.session, artifactId: file.id };
  const answer = await connection.request("artifacts.download", params, download, options);
  if ("data" in answer) {
    if (answer.data.length > Math.ceil(file.limit / 3) * 4) throw tooLarge(file.limit);
    return answer.data;
  }
  const { url } = answer;
  const fetched = (async () => {
    const response = await access.fetch(url);
    if (!response.ok || !response.body) {
      throw new Failure("upstream", `The gateway answered ${response.status} for a file of the bot's.`);
    }
    return base64(await readUpTo(response.body, file.limit));
  })();
  return await (options.signal ? raced(fetched, options.signal) : fetched);
}

async function readUpTo(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return chunks;
}

function base64(chunks: Uint8Array[]): string {
  let binary = "";
  for (const chunk of chunks) {
    // Spreading a whole image into one call would overflow the stack.
    for (let at = 0; at < chunk.length; at += 8192) binary += String.fromCharCode(...chunk.subarray(at, at + 8192));
  }
  return btoa(binary);
}

function tooLarge(limit: number): Failure {
  return new Failure("too_large", `The file is larger than ${limit} bytes.`);
}
