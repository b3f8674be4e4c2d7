import type { CDPSession } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { SessionRequest, SessionView } from "./access.ts";

/** A person who was asked has this long. */
const HANDOFF_MS = 10 * 60_000;
/** A link to look on with. */
const LINK_MS = 5 * 60_000;

/** What only the hosted browser can: let a person look on, or take over. */
export async function askPlatform(client: CDPSession, request: SessionRequest): Promise<Partial<SessionView>> {
  try {
    switch (request.do) {
      case "status":
      case "close":
      case "look_at_bot":
        return {};
      case "live_view":
        return { live_view: await liveView(client) };
      case "handoff": {
        const instructions = request.instructions ?? "Please take over, and say when you are done.";
        await client.send("Cloudflare.handoff", { instructions, timeout: HANDOFF_MS });
        return { handoff: "active", live_view: await liveView(client) };
      }
      case "handoff_done": {
        const { active } = await client.send("Cloudflare.getHandoffState");
        if (active) await client.send("Cloudflare.handoffComplete", { success: true });
        return { handoff: "none" };
      }
    }
  } catch (error) {
    throw new Failure("unavailable", "This browser cannot be watched or taken over by a person.", {
      hint: "Only Cloudflare's hosted browser can; look at this one with browser_screenshot.",
      cause: error,
    });
  }
}

async function liveView(client: CDPSession): Promise<string> {
  const { devtoolsFrontendUrl } = await client.send("Cloudflare.getLiveView", { mode: "tab", expiresInMs: LINK_MS });
  return devtoolsFrontendUrl;
}
