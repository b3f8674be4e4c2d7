import { Failure } from "../core/failure.ts";
import { unwrap } from "../core/reply.ts";
import { NOTHING } from "./input.ts";
import { type Asked, route } from "./route.ts";

/** The visitor's own browser, and a look at the bot's. None of it opens one. */
export const BROWSER_ROUTES = [
  route({
    method: "GET",
    path: "browser",
    input: NOTHING,
    async run(_input, asked) {
      const session = await sessionOf(asked);
      const [mine, bot] = await Promise.all([
        session.session({ do: "status" }).then(unwrap),
        session.session({ do: "look_at_bot" }).then(unwrap),
      ]);
      return { mine, bot };
    },
  }),
  route({
    method: "GET",
    path: "browser/frames",
    input: NOTHING,
    async run(_input, asked) {
      const session = await sessionOf(asked);
      const { open } = unwrap(await session.session({ do: "status" }));
      if (!open) throw new Failure("not_found", "You have no browser open.", { hint: "A client opens it for you." });
      const frames = unwrap(await session.watch());
      return new Response(frames, { headers: { "content-type": "multipart/x-mixed-replace; boundary=frame" } });
    },
  }),
  route({
    method: "POST",
    path: "browser/close",
    input: NOTHING,
    async run(_input, asked) {
      unwrap(await (await sessionOf(asked)).session({ do: "close" }));
      return {};
    },
  }),
];

async function sessionOf({ admin, visitor }: Asked) {
  return admin.browser(await admin.idOf(visitor));
}
