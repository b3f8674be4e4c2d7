import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { addressOf, change, look } from "./call.ts";
import { moment } from "./fields.ts";

const tab = z.object({ tab: z.string(), title: z.string(), url: z.string(), active: z.boolean() });
const session = z.object({
  open: z.boolean(),
  started: moment.optional(),
  idle_closes_in_s: z.number().optional(),
  tabs: z.array(tab),
});
export type Tab = z.output<typeof tab>;

const picture = z.object({ data: z.string(), mimeType: z.string(), width: z.number(), height: z.number() });
const browserSchema = z.object({ mine: session, bot: session.extend({ picture: picture.optional() }) });

const REFRESH_MS = 5_000;

/** The browser of the person who looks, and the bot's own. Looking opens none. */
export const browser = queryOptions({
  queryKey: ["browser"],
  queryFn: ({ signal }) => look("browser", browserSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

export const closeBrowser = () => change("browser/close", {}, z.object({}));

/** Pictures for an `<img>`, one after the other; `view` makes the browser ask anew. */
export const framesAddress = (view: number) => `${addressOf("browser/frames")}#${view}`;
