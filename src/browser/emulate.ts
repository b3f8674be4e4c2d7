import type { EmulateRequest } from "./access.ts";
import type { Tab } from "./tab.ts";
import { VIEWPORT } from "./limits.ts";
import { factsOf } from "./frame-facts.ts";

const DEVICES = {
  desktop: { ...VIEWPORT, isMobile: false, hasTouch: false, agent: undefined },
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true, agent: "iPhone; CPU iPhone OS 18_5 like Mac OS X" },
  tablet: { width: 820, height: 1180, isMobile: true, hasTouch: true, agent: "iPad; CPU OS 18_5 like Mac OS X" },
} as const;

/** Shows pages as another device, place or person would see them. What is not named stays as it is. */
export async function emulate(tab: Tab, request: EmulateRequest): Promise<string> {
  const { page } = tab;
  const { client } = factsOf(page.mainFrame());
  if (request.device !== undefined || request.width !== undefined || request.height !== undefined) {
    const { agent, ...viewport } = DEVICES[request.device ?? "desktop"];
    const now = request.device === undefined ? page.viewport() : null;
    await page.setViewport({
      ...viewport,
      ...now,
      ...(request.width === undefined ? {} : { width: request.width }),
      ...(request.height === undefined ? {} : { height: request.height }),
    });
    if (request.device !== undefined) {
      const safari = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
      await client.send("Emulation.setUserAgentOverride", {
        userAgent: agent === undefined ? "" : `Mozilla/5.0 (${agent}) ${safari}`,
      });
    }
  }
  if (request.colorScheme !== undefined) {
    const value = request.colorScheme === "none" ? "" : request.colorScheme;
    await client.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }
  if (request.timezone !== undefined) await page.emulateTimezone(request.timezone || undefined);
  if (request.locale !== undefined)
    await client.send("Emulation.setLocaleOverride", request.locale ? { locale: request.locale } : {});
  if (request.geolocation) {
    const { origin } = new URL(page.url());
    if (origin !== "null") await page.browserContext().overridePermissions(origin, ["geolocation"]);
    await page.setGeolocation(request.geolocation);
  }
  if (request.offline !== undefined) await page.setOfflineMode(request.offline);
  const { width = 0, height = 0 } = page.viewport() ?? {};
  return `${width}×${height}`;
}
