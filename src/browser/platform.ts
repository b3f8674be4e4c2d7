import type { CDPSession } from "@cloudflare/puppeteer";
import { raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { SessionRequest, SessionView } from "./access.ts";
import { factsOf } from "./frame-facts.ts";
import type { Tab } from "./tab.ts";

/** A person who was asked has this long; the platform allows 30 minutes. */
const HANDOFF_MS = 10 * 60_000;
/** A link to look on with. */
const LINK_MS = 5 * 60_000;
/** The platform answers at once; a browser that is not its own leaves such a question lying while a dialog is open. */
const ANSWER_MS = 5_000;

/**
 * What only the hosted browser can: let a person look on, or take over. It is about one tab, named each time: left to
 * itself the platform chooses one.
 * @see https://developers.cloudflare.com/browser-run/features/human-in-the-loop/
 */
export async function askPlatform(tab: Tab, request: SessionRequest): Promise<Partial<SessionView>> {
  const { client, id: targetId } = factsOf(tab.page.mainFrame());
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    switch (request.do) {
      case "close":
      case "look_at_bot":
        return {};
      case "status": {
        if (tab.dialogs.open) return {};
        // A browser that knows nothing of it has nobody to hand over to.
        const asked = client.send("Cloudflare.getHandoffState", { targetId });
        const state = await raced(asked, signal).catch(() => undefined);
        return state ? { handoff: state.active ? "active" : "none" } : {};
      }
      case "live_view":
        return { live_view: await raced(liveView(client, targetId), signal) };
      case "handoff": {
        const instructions = request.instructions ?? "Please take over, and say when you are done.";
        await raced(client.send("Cloudflare.handoff", { targetId, instructions, timeout: HANDOFF_MS }), signal);
        return { handoff: "active", live_view: await raced(liveView(client, targetId), signal) };
      }
      case "handoff_done": {
        const { active } = await raced(client.send("Cloudflare.getHandoffState", { targetId }), signal);
        if (active) await raced(client.send("Cloudflare.handoffComplete", { targetId, success: true }), signal);
        return { handoff: "none" };
      }
    }
  } catch (cause) {
    if (!signal.aborted && (await isHosted(client))) {
      const reason = cause instanceof Error ? cause.message : "it gives no reason";
      throw new Failure("upstream", `The platform refuses: ${reason}`, { cause });
    }
    throw new Failure("unavailable", "This browser cannot be watched or taken over by a person.", {
      hint: "Only Cloudflare's hosted browser can; look at this one with browser_screenshot.",
      cause,
    });
  }
}

async function isHosted(client: CDPSession): Promise<boolean> {
  return await client.send("Cloudflare.getSessionId").then(
    () => true,
    () => false,
  );
}

async function liveView(client: CDPSession, targetId: string): Promise<string> {
  const options = { targetId, mode: "tab", expiresInMs: LINK_MS } as const;
  const { devtoolsFrontendUrl } = await client.send("Cloudflare.getLiveView", options);
  return devtoolsFrontendUrl;
}
