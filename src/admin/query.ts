import type { z } from "zod";
import { Failure } from "../core/failure.ts";

/** The address's query, each name of which may be given once. */
export function queryOf<T>(request: Request, schema: z.ZodType<T>): T {
  const { searchParams } = new URL(request.url);
  const given = Object.fromEntries(searchParams);
  const query = schema.safeParse(given);
  // A name given twice would silently count once.
  if (query.success && Object.keys(given).length === searchParams.size) return query.data;
  throw new Failure("invalid_input", "The address's query is not what this route takes.");
}
