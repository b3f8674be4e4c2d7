import { mayUseTerminal } from "../auth/visitor.ts";
import { NOTHING } from "./input.ts";
import { route } from "./route.ts";

/** Who is looking, and whether they may open the terminal. */
export const ME_ROUTES = [
  route({
    method: "GET",
    path: "me",
    input: NOTHING,
    run: async (_input, { admin, visitor }) => ({
      ...visitor,
      terminal: await mayUseTerminal(admin.grants, visitor, Date.now()),
    }),
  }),
];
