/** Bytes from `offset`, at most `count`; the rest of the stream is not read. */
export async function readRange(
  stream: ReadableStream<Uint8Array>,
  offset: number,
  count: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let [skip, wanted] = [offset, count];
  const reader = stream.getReader();
  while (wanted > 0) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(Math.min(skip, value.byteLength)).subarray(0, wanted);
    skip = Math.max(0, skip - value.byteLength);
    wanted -= part.byteLength;
    if (part.byteLength > 0) parts.push(part);
  }
  await reader.cancel();
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** Text of the whole characters; up to three bytes of one that was cut off are left for the next call. Undefined: no text. */
export function decodeText(bytes: Uint8Array, isEnd: boolean): { text: string; taken: number } | undefined {
  const mostLeft = isEnd ? 0 : Math.min(3, bytes.byteLength - 1);
  for (let left = 0; left <= mostLeft; left++) {
    try {
      const taken = bytes.byteLength - left;
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, taken));
      return text.includes("\0") ? undefined : { text, taken };
    } catch {
      // Perhaps only the last character is incomplete: try with a byte less.
    }
  }
  return undefined;
}

/** What kind of picture these bytes are, by how they begin; undefined for anything else. */
export function imageType(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  const type = head.startsWith("\x89PNG")
    ? "image/png"
    : head.startsWith("\xff\xd8\xff")
      ? "image/jpeg"
      : head.startsWith("GIF8")
        ? "image/gif"
        : head.startsWith("RIFF") && head.endsWith("WEBP")
          ? "image/webp"
          : "";
  return type === "" ? undefined : type;
}

export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.byteLength; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
