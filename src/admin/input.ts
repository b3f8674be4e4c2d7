import { z } from "zod";
import { readText } from "../core/body.ts";
import { Failure } from "../core/failure.ts";

/** Ids and a few words. */
const MOST_BODY_BYTES = 4_096;

/** What a route takes no input with. */
export const NOTHING = z.strictObject({});

/** What stands in the address behind the question mark; a name that is given twice would silently count once. */
export function queryOf(url: URL): Record<string, string> {
  const given = Object.fromEntries(url.searchParams);
  if (Object.keys(given).length === url.searchParams.size) return given;
  throw new Failure("invalid_input", "The address has the same thing twice.", {
    hint: "Each name may be given once.",
  });
}

export async function bodyOf(request: Request): Promise<unknown> {
  // Nothing but a page's own script can send this type to another site without being asked first.
  if (request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new Failure("invalid_input", "The body has to be JSON.", { hint: "Send it as application/json." });
  }
  const text = await readText(request, MOST_BODY_BYTES);
  if (text === undefined) {
    throw new Failure("too_large", `The body may have ${MOST_BODY_BYTES} bytes at most.`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid_input", "The body is not JSON.", { cause });
  }
}

/** The input as the schema has it, or a failure that names what is wrong. Values are not repeated. */
export function take<Schema extends z.ZodObject>(schema: Schema, given: unknown): z.output<Schema> {
  const taken = schema.safeParse(given);
  if (taken.success) return taken.data;
  const known = Object.keys(schema.shape);
  const wrong = known.filter((name) => taken.error.issues.some(({ path }) => path[0] === name));
  throw new Failure(
    "invalid_input",
    wrong.length > 0
      ? `This is not taken as ${wrong.join(", ")}.`
      : "The request has something that is not taken here.",
    { hint: known.length > 0 ? `It takes ${known.join(", ")}, and nothing else.` : "It takes nothing." },
  );
}
