import { z } from "zod";
import { Failure } from "../core/failure.ts";
import type { FileBytes, UploadFile } from "./access.ts";
import { callOn } from "./in-page.ts";
import { MOST_FILE_BYTES } from "./limits.ts";
import ATTACH from "./page/attach.js";
import { inTheWay } from "./pointer.ts";
import { allowedUrl, type UrlPolicy } from "./policy.ts";
import { type BrowserSecrets, hidingBytes } from "./secrets.ts";
import type { Tab } from "./tab.ts";
import { factsOf } from "./frame-facts.ts";

const attached = z.union([z.object({ problem: z.string() }), z.object({ files: z.number() })]);

/** Puts files into a page's field. They go as bytes: no path of any machine is involved. */
export async function upload(tab: Tab, ref: string, files: readonly UploadFile[]): Promise<number> {
  const element = await tab.find(ref);
  const answer = attached.parse(await callOn(element, ATTACH, files));
  if ("problem" in answer) throw inTheWay(element, answer.problem);
  return answer.files;
}

const ADDRESS =
  "function () { const near = this.closest('a[href],[src]'); return near?.href ?? near?.currentSrc ?? near?.src; }";
const CHUNK = 512 * 1024;

/** Fetches what a link leads to, with the page's cookies. */
export async function download(
  tab: Tab,
  from: { url?: string | undefined; ref?: string | undefined },
  { policy, secrets }: { policy: UrlPolicy; secrets: BrowserSecrets },
): Promise<FileBytes> {
  const frame = tab.page.mainFrame();
  const { client, id: frameId } = factsOf(frame);
  const url = allowedUrl(await addressOf(tab, from), policy);
  const { resource } = await client.send("Network.loadNetworkResource", {
    frameId,
    url,
    options: { disableCache: false, includeCredentials: true },
  });
  const status = resource.httpStatusCode ?? 0;
  if (!resource.success || resource.stream === undefined || status >= 400) {
    throw new Failure(
      "upstream",
      `It could not be loaded: ${status >= 400 ? `HTTP ${status}` : (resource.netErrorName ?? "no answer")}.`,
    );
  }
  const headers = new Headers(
    Object.entries(resource.headers ?? {}).map(([name, value]) => [name, value.split("\n")[0] ?? ""]),
  );
  try {
    const bytes = hidingBytes(secrets)(await readStream(client, resource.stream));
    const mimeType = headers.get("content-type")?.split(";")[0]?.trim() || "application/octet-stream";
    return { name: nameOf(url, headers), mimeType, data: bytes.toBase64(), bytes: bytes.byteLength };
  } finally {
    await client.send("IO.close", { handle: resource.stream }).catch(() => undefined);
  }
}

async function addressOf(tab: Tab, { url, ref }: { url?: string | undefined; ref?: string | undefined }) {
  if (url !== undefined) return URL.canParse(url, tab.page.url()) ? new URL(url, tab.page.url()).href : url;
  if (ref === undefined) return tab.page.url();
  const element = await tab.find(ref);
  const address = z.string().safeParse(await callOn(element, ADDRESS));
  if (!address.success) throw inTheWay(element, "it is neither a link nor a picture");
  return address.data;
}

type Client = ReturnType<typeof factsOf>["client"];

/** The whole of a stream of the browser's. */
export async function readStream(client: Client, handle: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { data, base64Encoded, eof } = await client.send("IO.read", { handle, size: CHUNK });
    const part = base64Encoded ? Uint8Array.fromBase64(data) : new TextEncoder().encode(data);
    parts.push(part);
    size += part.byteLength;
    if (size > MOST_FILE_BYTES) {
      throw new Failure("too_large", `It has more than ${MOST_FILE_BYTES} bytes.`, {
        hint: "Have the bot's sandbox fetch it: command_run with curl.",
      });
    }
    if (eof) break;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function nameOf(url: string, headers: Headers): string {
  const disposition = headers.get("content-disposition") ?? "";
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  const plain = /filename="?([^";]+)"?/i.exec(disposition)?.[1];
  const path = new URL(url).pathname.split("/").at(-1);
  const name = extended === undefined ? (plain ?? path ?? "") : decoded(extended);
  // What a server calls it may hold a path.
  return (
    name
      .split(/[/\\]/)
      .at(-1)
      ?.replace(/[^\w.() -]/g, "_")
      .slice(0, 120) || "download"
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
