import { BOT_ROUTES } from "./bot.ts";
import { BROWSER_ROUTES } from "./browser.ts";
import { DEVICE_ROUTES } from "./devices.ts";
import { FILE_ROUTES } from "./files.ts";
import { GENERATION_ROUTES } from "./generations.ts";
import { GRANT_ROUTES } from "./grants.ts";
import { JOURNAL_ROUTES } from "./journal.ts";
import { JOB_ROUTES } from "./jobs.ts";
import { ME_ROUTES } from "./me.ts";
import { PAIRING_ROUTES } from "./pairings.ts";
import type { Route } from "./route.ts";
import { USAGE_ROUTES } from "./usage.ts";

/** Everything for people is under it, behind Access. */
export const ADMIN_PATH = "/admin/";

export const API_PATH = `${ADMIN_PATH}api/`;

/** The one WebSocket among them: see terminal.ts. */
export const TERMINAL_PATH = `${ADMIN_PATH}terminal`;

/** Every route, whatever its method: a path has one. */
export const ROUTES: readonly Route[] = [
  ...ME_ROUTES,
  ...BOT_ROUTES,
  ...BROWSER_ROUTES,
  ...DEVICE_ROUTES,
  ...FILE_ROUTES,
  ...GENERATION_ROUTES,
  ...GRANT_ROUTES,
  ...JOB_ROUTES,
  ...JOURNAL_ROUTES,
  ...PAIRING_ROUTES,
  ...USAGE_ROUTES,
];
