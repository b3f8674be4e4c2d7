import { Failure } from "../../core/failure.ts";

/** The whole body, refused as soon as it is longer than `most` bytes. */
export async function readBody(request: Request, most: number): Promise<Uint8Array> {
  const tooLarge = () => new Failure("too_large", `The body may have ${most} bytes at most.`);
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.byteLength;
    if (length > most) throw tooLarge();
    parts.push(part);
  }
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
