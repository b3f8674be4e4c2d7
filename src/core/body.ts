/**
 * A request's body as text; undefined when it has more than `most` bytes. Then it is read to its end all the same:
 * leaving it breaks the connection under the client's next request.
 */
export async function readText(request: Request, most: number): Promise<string | undefined> {
  const parts: string[] = [];
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    if (bytes <= most) parts.push(decoder.decode(part, { stream: true }));
  }
  return bytes > most ? undefined : parts.join("") + decoder.decode();
}

/** Of an upload that was refused. Bytes. */
export const MOST_READ_AWAY = 256 * 1024 * 1024;

/** Reads an upload that is refused: an answer to one that nobody reads gets lost with the connection. */
export async function readAway(body: ReadableStream<Uint8Array>): Promise<void> {
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    if (bytes > MOST_READ_AWAY) return;
  }
}
