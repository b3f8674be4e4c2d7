import { z } from "zod";
import { unwrap } from "../../core/reply.ts";
import { defineTool } from "../tool.ts";
import { DEADLINE_MS, given, joined, page, pageText, tab } from "./fields.ts";

const MOST_SIDE = 3000;
const side = z.number().int().min(200).max(MOST_SIDE).optional();

export const browserEmulate = defineTool({
  name: "browser_emulate",
  title: "Emulate a device",
  description: "Shows pages as another device, place or network would. What is not named stays.",
  scope: "browser",
  effect: "write",
  idempotent: true,
  needs: ["browser"],
  input: z.strictObject({
    device: z.enum(["desktop", "phone", "tablet"]).optional(),
    width: side,
    height: side,
    color_scheme: z.enum(["light", "dark", "none"]).optional(),
    timezone: z.string().max(60).optional().describe("Europe/Paris; empty: none."),
    locale: z.string().max(20).optional(),
    geolocation: z
      .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
      .optional(),
    offline: z.boolean().optional(),
    tab,
  }),
  output: z.object({ page, viewport: z.string() }),
  deadlineMs: DEADLINE_MS,
  async run({ color_scheme: colorScheme, ...input }, { browser }, call) {
    const data = unwrap(await browser(call.principal).emulate(given({ ...input, colorScheme })));
    return { data, text: joined(pageText(data.page), `Window: ${data.viewport}.`) };
  },
});
