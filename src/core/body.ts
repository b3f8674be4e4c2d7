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
