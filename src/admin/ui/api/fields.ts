import { z } from "zod";

/** A moment, as ISO 8601 or in milliseconds since 1970. */
export const moment = z.union([z.iso.datetime({ offset: true }), z.number()]).transform((value) => new Date(value));
