import { z } from "zod";
import { Failure } from "../../core/failure.ts";
import type { Control } from "./control.ts";

/** One id for the browser, whatever session is behind it: who kept the address comes back after a restart. */
const BROWSER_SOCKET = "/devtools/browser/moltbot";

const versionSchema = z.object({
  product: z.string(),
  protocolVersion: z.string(),
  userAgent: z.string(),
  jsVersion: z.string(),
  revision: z.string(),
});
const targetSchema = z.object({ targetId: z.string(), type: z.string(), title: z.string(), url: z.string() });
const targetsSchema = z.object({ targetInfos: z.array(targetSchema) });
const createdSchema = z.object({ targetId: z.string() });
const nothingSchema = z.object({});

/** Types of targets that DevTools lists; the rest are parts of these. */
const LISTED = new Set([
  "page",
  "iframe",
  "worker",
  "service_worker",
  "shared_worker",
  "background_page",
  "webview",
  "other",
]);

/**
 * Answers /json/…, the HTTP half of DevTools. `webSocketDebuggerUrl` is a path here: only the port in the container
 * knows by which host it is reached.
 */
export async function discover(request: Request, path: string, control: Control): Promise<Response> {
  const [, , verb = "list", id = ""] = path.split("/");
  switch (verb) {
    case "version":
      return Response.json(await version(control));
    case "list":
      return Response.json(await targets(control));
    case "new":
      return Response.json(await opened(request, control));
    case "activate":
      await control.ask(nothingSchema, "Target.activateTarget", { targetId: id });
      return new Response("Target activated");
    case "close":
      await control.ask(nothingSchema, "Target.closeTarget", { targetId: id });
      return new Response("Target is closing");
  }
  throw new Failure("not_found", "The browser has no such page.", { hint: "There are /json/version and /json/list." });
}

async function version(control: Control): Promise<Record<string, string>> {
  const found = await control.ask(versionSchema, "Browser.getVersion");
  return {
    Browser: found.product,
    "Protocol-Version": found.protocolVersion,
    "User-Agent": found.userAgent,
    "V8-Version": found.jsVersion,
    "WebKit-Version": `537.36 (${found.revision})`,
    webSocketDebuggerUrl: BROWSER_SOCKET,
  };
}

async function targets(control: Control): Promise<Record<string, string>[]> {
  const { targetInfos } = await control.ask(targetsSchema, "Target.getTargets");
  return targetInfos.filter(({ type }) => LISTED.has(type)).map(described);
}

/** `/json/new?<address>`, where the whole query is the address, unescaped once, as Chromium does. */
async function opened(request: Request, control: Control): Promise<Record<string, string>> {
  if (request.method !== "PUT") {
    throw new Failure("invalid_input", "A page is opened with PUT.", { hint: "Send PUT /json/new?<address>." });
  }
  const query = new URL(request.url).search.slice(1);
  const url = addressIn(query);
  const { targetId } = await control.ask(createdSchema, "Target.createTarget", { url });
  const { targetInfos } = await control.ask(targetsSchema, "Target.getTargets");
  const target = targetInfos.find((info) => info.targetId === targetId);
  return described(target ?? { targetId, type: "page", title: "", url });
}

/** Pages of the web only: of the rest, some are files of the machine the browser runs on. */
function addressIn(query: string): string {
  if (query === "") return "about:blank";
  const url = URL.parse(decoded(query));
  if (url && (["http:", "https:", "data:", "blob:"].includes(url.protocol) || /^about:blank\b/.test(url.href)))
    return url.href;
  throw new Failure("invalid_input", "That is no address of a web page.", { hint: "Begin it with https://." });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function described({ targetId, type, title, url }: z.output<typeof targetSchema>): Record<string, string> {
  return { description: "", id: targetId, type, title, url, webSocketDebuggerUrl: `/devtools/page/${targetId}` };
}
