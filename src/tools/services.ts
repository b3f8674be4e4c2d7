import type { BrowserSession } from "../browser/access.ts";
import type { ChatAccess } from "../chat/access.ts";
import type { CommandHost } from "../sandbox/commands.ts";
import type { FolderStatus } from "../sandbox/folder.ts";
import type { BotLifecycle } from "../sandbox/lifecycle.ts";
import type { DirectoryEntry } from "../sandbox/results.ts";
import type { GatewayJobs } from "../gateway/jobs.ts";
import type { UsageAccess } from "../usage/access.ts";
import type { Reply } from "../core/reply.ts";
import type { MemoryReader } from "../memory/access.ts";

/** A file that is being read. */
export interface OpenedFile {
  content: ReadableStream<Uint8Array>;
  /** Of the whole file. Bytes. */
  size: number;
  mimeType: string;
  /** The byte that `content` begins with; left out, the first one. */
  offset?: number;
}

export interface FileHost {
  /** From the byte `offset` on, where the file's place can do that; else from its beginning. */
  openFile(path: string, offset?: number): Promise<Reply<OpenedFile>>;
  putFile(path: string, content: string, encoding: "utf-8" | "base64"): Promise<Reply<void>>;
  directory(path: string, options: { recursive: boolean; hidden: boolean }): Promise<Reply<DirectoryEntry[]>>;
  /** Whether to look there means to wake the container. */
  needsContainer(path: string): boolean;
}

/** The bot as a whole. */
export interface BotHost extends BotLifecycle {
  /** Stops the gateway, and leaves it stopped until somebody needs it. */
  gatewayRest(): Promise<Reply<void>>;
  folderStatus(): Promise<Reply<FolderStatus>>;
}

/** Everything a tool can need; each names what it does and gets no more. */
export interface ToolServices {
  chat: ChatAccess;
  commands: CommandHost;
  files: FileHost;
  bot: BotHost;
  /** The gateway has to run for it; nothing here wakes it. */
  jobs: GatewayJobs;
  memory: MemoryReader;
  /** The models the bot is set to, in the order they are asked, and the day's caps. */
  model: { names: readonly string[]; caps: { dailyTokens: number | undefined; dailyUsd: number | undefined } };
  usage: UsageAccess;
  /** The browser session of a person. */
  browser: (principal: string) => BrowserSession;
}

/** The services that were asked for; what a tool did not name it cannot reach. */
export function only<Name extends keyof ToolServices>(
  services: ToolServices,
  names: readonly Name[],
): Pick<ToolServices, Name> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets which name is whose.
  return Object.fromEntries(names.map((name) => [name, services[name]])) as Pick<ToolServices, Name>;
}
