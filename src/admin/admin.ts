import type { Visitor } from "../auth/access.ts";
import type { Grants } from "../auth/grants.ts";
import type { BrowserSession } from "../browser/access.ts";
import type { ChatAccess } from "../chat/access.ts";
import type { Journal } from "../core/journal.ts";
import type { Folder } from "../files/access.ts";
import type { GatewayDevices } from "../gateway/devices.ts";
import type { GatewayJobs } from "../gateway/jobs.ts";
import type { GatewayPairings } from "../gateway/pairings.ts";
import type { JournalAccess } from "../journal/access.ts";
import type { MemoryReader } from "../memory/access.ts";
import type { BotLifecycle } from "../sandbox/lifecycle.ts";
import type { UsageAccess } from "../usage/access.ts";
import type { GenerationsAdmin } from "./generations.ts";

/** What the pages for people show and change. */
export interface AdminServices {
  /** The bot, asked in a way that does not put off its sleep. */
  looking: Pick<BotLifecycle, "gatewayStatus" | "gatewayLog" | "uptime">;
  bot: Pick<BotLifecycle, "gatewayStart" | "gatewayRestart" | "sleep">;
  chat: Pick<ChatAccess, "status">;
  memory: Pick<MemoryReader, "status">;
  model: { names: readonly string[]; caps: { dailyTokens: number | undefined; dailyUsd: number | undefined } };
  usage: Pick<UsageAccess, "summary">;
  /** The browser session of a person. */
  browser: (principal: string) => Pick<BrowserSession, "session" | "watch">;
  devices: GatewayDevices;
  jobs: GatewayJobs;
  pairings: GatewayPairings;
  journal: Pick<JournalAccess, "read">;
  generations: GenerationsAdmin;
  /** The folder for large files. */
  files: Folder;
  /** Writes down what a visitor changed. */
  record: Journal;
}

export interface Admin extends AdminServices {
  /** The guard: who Access lets through; throws a Failure for everybody else. */
  admit(request: Request): Promise<Visitor>;
  /** The opaque id by which the rest of the Worker knows the visitor. */
  idOf(visitor: Visitor): Promise<string>;
  publicUrl: string;
  grants: Grants;
  /** Keeps work alive that nobody waits for. */
  waitUntil(work: Promise<unknown>): void;
}
