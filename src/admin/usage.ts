import { z } from "zod";
import { unwrap } from "../core/reply.ts";
import { route } from "./route.ts";

/** As long as it is kept. */
const MOST_DAYS = 400;

/** What models cost. */
export const USAGE_ROUTES = [
  route({
    method: "GET",
    path: "usage",
    input: z.strictObject({ days: z.coerce.number().int().min(1).max(MOST_DAYS).default(30) }),
    run: async ({ days }, { admin }) => unwrap(await admin.usage.summary(days)),
  }),
];
