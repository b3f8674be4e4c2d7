import { unwrap } from "../core/reply.ts";
import { defineResource } from "./resource.ts";

const URI = "moltbot://status";

export const statusResource = defineResource({
  name: "status",
  title: "Status of the Moltbot",
  description: "Whether the Moltbot is asleep, starting, ready or failed, and its model, as JSON. Does not wake it.",
  uri: URI,
  mimeType: "application/json",
  scope: "chat",
  toolset: "bot",
  needs: ["bot", "model"],
  async read(uri, { bot, model }) {
    if (uri.href !== URI) return undefined;
    const { phase, readySince, reason } = unwrap(await bot.gatewayStatus());
    const status = { phase, ready_since: readySince, reason, model: model.names[0] };
    return [{ uri: URI, mimeType: "application/json", text: JSON.stringify(status) }];
  },
});
