import { readText } from "../core/body.ts";
import { Failure } from "../core/failure.ts";

/** A message with pictures as base64; more than that belongs in a file. */
const MOST_BYTES = 24 * 1024 * 1024;

/** A request's JSON. Read here because the protocol library, given a longer body than it likes, mistakes it for another protocol. */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readText(request, MOST_BYTES);
  if (text === undefined) {
    throw new Failure("too_large", `A request may have ${MOST_BYTES / 1024 / 1024} MiB at most.`, {
      hint: "Send large things in parts with file_write, and name the file in the message.",
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid_input", "The request's body is not JSON.", { cause });
  }
}
