import { Failure } from "../core/failure.ts";

/** A message with pictures as base64; more than that belongs in a file. */
const MOST_BYTES = 24 * 1024 * 1024;

/** A request's JSON. Read here because the protocol library, given a longer body than it likes, mistakes it for another protocol. */
export async function readJson(request: Request): Promise<unknown> {
  const parts: string[] = [];
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    // What is too much is read to its end all the same: leaving it breaks the connection under the client's next request.
    if (bytes <= MOST_BYTES) parts.push(decoder.decode(part, { stream: true }));
  }
  if (bytes > MOST_BYTES) {
    throw new Failure("too_large", `A request may have ${MOST_BYTES / 1024 / 1024} MiB at most.`, {
      hint: "Send large things in parts with file_write, and name the file in the message.",
    });
  }
  try {
    return JSON.parse(parts.join("") + decoder.decode());
  } catch (cause) {
    throw new Failure("invalid_input", "The request's body is not JSON.", { cause });
  }
}
