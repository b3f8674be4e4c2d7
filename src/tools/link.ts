import type { Block } from "./tool.ts";

export const FILE_SCHEME = "moltbot-file:";
export const ANSWER_SCHEME = "moltbot-answer:";

export const MEMORY_SCHEME = "memory:";

/** Address of a file of the memory, from a byte on. */
export function memoryUri(path: string, options: { generation?: string | undefined; offset?: number } = {}): string {
  const query = new URLSearchParams();
  if (options.generation !== undefined) query.set("generation", options.generation);
  if (options.offset) query.set("offset", String(options.offset));
  return `${MEMORY_SCHEME}///${path.split("/").map(encodeURIComponent).join("/")}${query.size > 0 ? `?${query.toString()}` : ""}`;
}

/** Address of a file in the sandbox, from a byte on. */
export function fileUri(path: string, offset = 0): string {
  return `${FILE_SCHEME}//${path.split("/").map(encodeURIComponent).join("/")}${offset > 0 ? `?offset=${offset}` : ""}`;
}

/** Address of the Moltbot's answer to a message, from a character on. */
export function answerUri(runId: string, offset = 0): string {
  return `${ANSWER_SCHEME}///${encodeURIComponent(runId)}${offset > 0 ? `?offset=${offset}` : ""}`;
}

/** Points to an answer of many parts. */
export function answerLink(runId: string): Block {
  return { type: "resource_link", uri: answerUri(runId), name: "answer", title: "The whole answer" };
}

/** Points to what is too long for a result; clients that read resources can fetch it whole. */
export function fileLink(path: string, size: number): Block {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { type: "resource_link", uri: fileUri(path), name, title: `All of ${path}`, size };
}

/** As `fileLink`, to what can be read while the sandbox sleeps. */
export function memoryLink(path: string, size: number, generation?: string): Block {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { type: "resource_link", uri: memoryUri(path, { generation }), name, title: `All of ${path}`, size };
}
