import { z } from "zod";
import type { PageState, Picture } from "../../browser/access.ts";
import { DEFAULT_WAIT_MS, MOST_CALL_MS, MOST_WAIT_MS } from "../../browser/limits.ts";
import type { Block } from "../tool.ts";

/** What a browser call needs beyond the session's own deadline: the way there and back. */
export const DEADLINE_MS = MOST_CALL_MS + 5_000;

export const tab = z.string().optional().describe("Default: the active tab.");
export const ref = z.string().describe("Element, from a snapshot: e12.");
export const waitSeconds = z
  .number()
  .min(0)
  .max(MOST_WAIT_MS / 1000)
  .optional()
  .describe(`Default ${DEFAULT_WAIT_MS / 1000}.`);

/** Every answer says how its page is. Left open, so that sixteen tools need not repeat it in their schemas. */
export const page = z.looseObject({ url: z.string(), title: z.string(), tab: z.string() });

/** The head of every answer: where this is, and what happened that nobody asked for. */
export function pageText({ url, title, tab: name, dialog, console_errors: errors, notes }: PageState): string {
  const lines = [`[${name}] ${title === "" ? "" : `${title} – `}${url.slice(0, 300)}`];
  if (dialog) {
    const offered = dialog.default === undefined ? "" : ` (default "${dialog.default}")`;
    lines.push(`Dialog open: ${dialog.type} "${dialog.message}"${offered}. Answer it with browser_dialog.`);
  }
  if (notes) lines.push(...notes);
  if (errors) lines.push(`Console errors:\n${errors.join("\n")}`);
  return lines.join("\n");
}

/** Parts of an answer's text; empty ones are left out. */
export function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n");
}

export function moreText(cursor: string | undefined): string {
  return cursor === undefined ? "" : `[More: browser_snapshot {"cursor": "${cursor}"}]`;
}

export function pictureBlock({ data, mimeType }: Picture): Block {
  return { type: "image", data, mimeType };
}

/** The request without what was left out: `undefined` is not the same as nothing there. */
export function given<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the keys.
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
