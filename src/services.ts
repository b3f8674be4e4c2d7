import { waitUntil } from "cloudflare:workers";
import type { AdminServices } from "./admin/admin.ts";
import type { LoginServices } from "./auth/provider.ts";
import type { TerminalServices } from "./admin/terminal.ts";
import { Breaker } from "./bridge/model/breaker.ts";
import type { Bridge } from "./bridge/routes.ts";
import type { Config } from "./config/config.ts";
import type { ControlUi } from "./control/handler.ts";
import type { Journal } from "./core/journal.ts";
import { secretValues } from "./core/redact.ts";
import { unwrap } from "./core/reply.ts";
import { withFolder } from "./files/host.ts";
import { FolderStore } from "./files/store.ts";
import type { GatewayAccess } from "./gateway/access.ts";
import { GATEWAY_PORT } from "./gateway/config.ts";
import { gatewayDevices } from "./gateway/devices.ts";
import { gatewayJobs } from "./gateway/jobs.ts";
import type { JournalAccess } from "./journal/access.ts";
import { journalBatch } from "./journal/batch.ts";
import { exportArchive } from "./memory/archive/export.ts";
import { importArchive } from "./memory/archive/import.ts";
import { MemoryStore } from "./memory/store.ts";
import { notReady } from "./sandbox/gateway-post.ts";
import { sandboxHandle } from "./sandbox/handle.ts";
import type { ToolServices } from "./tools/services.ts";
import { type KnownTotal, Meter } from "./usage/meter.ts";

export interface Services {
  admin: AdminServices;
  gateway: GatewayAccess;
  bridge: Bridge;
  control: Pick<ControlUi, "looking" | "bot" | "sandbox" | "record">;
  journal: Journal;
  terminal: Pick<TerminalServices, "shell" | "sandbox" | "record">;
  tools: ToolServices;
  /** The session of the bot's browser, if it has one now. */
  botBrowser: () => Promise<string | undefined>;
  /** Ends all chats' runs, for the container is about to stop. */
  endRuns: () => Promise<void>;
  /** Whether a chat's run goes on or waits. */
  isChatting: () => Promise<boolean>;
  /** Signs what MCP clients carry for this Worker. */
  signingKey: () => Promise<string>;
}

/** The one bot's chats. */
const CHAT_NAME = "moltbot";
/** The one bot's browser. */
const CDP_NAME = "moltbot";
/** The one bot's memory. */
const MEMORY_NAME = "moltbot";

/** What was done through this Worker. */
const JOURNAL_NAME = "moltbot";

const journalOf = journalBatch();

/** What models cost. */
const USAGE_NAME = "moltbot";

/** What an isolate remembers of the providers and of the day's budget. */
const breaker = new Breaker();
const knownTotal: KnownTotal = { total: undefined, at: 0 };

/** The composition root: the only file that touches bindings. For one request: stubs may not outlive it. */
export function servicesOf(env: Cloudflare.Env, config: Config): Services {
  const sandbox = sandboxHandle(env.SANDBOX);
  const chat = env.CHAT.get(env.CHAT.idFromName(CHAT_NAME));
  const memory = env.MEMORY.get(env.MEMORY.idFromName(MEMORY_NAME));
  const usage = env.USAGE.get(env.USAGE.idFromName(USAGE_NAME));
  const journal = journalFor(env);
  const folder = new FolderStore(env.STATE);
  // Of the bare object, too: to ask is no reason to stay awake.
  const isAwake = async () => unwrap(await sandbox.bare.gatewayStatus()).phase === "ready";
  const models = { names: config.model.targets.map(({ name }) => name), caps: config.model };
  const browser = (principal: string) => env.BROWSER_SESSION.get(env.BROWSER_SESSION.idFromName(principal));
  const post = (path: string, body: string) => sandbox.bare.gatewayPost(path, body);
  const jobs = gatewayJobs(post);
  /** The chats' connection would start the gateway, and to look is no reason for that. */
  const requireReady = async () => {
    const { phase } = unwrap(await sandbox.bare.gatewayStatus());
    if (phase !== "ready") throw notReady(phase);
  };
  return {
    admin: {
      looking: sandbox.bare,
      bot: sandbox.object,
      chat,
      memory,
      model: models,
      usage,
      browser,
      journal: journalObject(env),
      generations: {
        memory,
        pack: (manifest) => exportArchive(manifest, new MemoryStore(env.STATE)),
        unpack: (archive) => importArchive(archive, memory, new MemoryStore(env.STATE)),
        bot: sandbox.object,
      },
      files: folder,
      devices: gatewayDevices(post),
      jobs,
      pairings: {
        async list() {
          await requireReady();
          return unwrap(await chat.pairings());
        },
        async approve(request) {
          await requireReady();
          return unwrap(await chat.approvePairing(request));
        },
        async reject(request) {
          await requireReady();
          return unwrap(await chat.rejectPairing(request));
        },
      },
      record: journal,
    },
    gateway: {
      async ready() {
        const { gateway } = unwrap(await sandbox.object.gatewayReady());
        return { token: gateway };
      },
      socket: () => sandbox.socket(GATEWAY_PORT),
      fetch: (path, init) => sandbox.fetch(GATEWAY_PORT, path, init),
    },
    bridge: {
      // Of the bare object: whoever knocks must not put off the container's sleep.
      admits: (token) => sandbox.bare.bridgeAdmits(token),
      containerId: sandbox.bare.id.toString(),
      model: {
        targets: config.model.targets,
        patienceMs: config.model.patienceMs,
        secrets: secretValues(),
        breaker,
        ledger: new Meter(usage, config.model, knownTotal),
        turns: {
          answered: async (session, model) => unwrap(await chat.modelAnswered(session, model)),
          failed: async (session, failure) => unwrap(await chat.modelFailed(session, failure)),
        },
        journal,
        ai: env.AI,
        later: waitUntil,
      },
      channels: config.channels,
      state: { memory, store: new MemoryStore(env.STATE) },
      browser: (request) => env.CDP.get(env.CDP.idFromName(CDP_NAME)).fetch(request),
    },
    control: { looking: sandbox.bare, bot: sandbox.object, sandbox: sandbox.bare, record: journal },
    journal,
    terminal: { shell: (line) => sandbox.object.shell(line, {}), sandbox: sandbox.bare, record: journal },
    botBrowser: async () => await env.CDP.get(env.CDP.idFromName(CDP_NAME)).currentSession(),
    endRuns: async () => unwrap(await chat.cancelAll()),
    isChatting: async () => unwrap(await chat.isOpen()),
    signingKey: async () => await chat.signingKey(),
    tools: {
      chat,
      commands: sandbox.object,
      files: withFolder(sandbox.object, folder, isAwake),
      bot: sandbox.object,
      jobs,
      memory,
      model: models,
      usage,
      browser,
    },
  };
}

/** What the sign-in needs. Apart from the rest, for anybody may begin one, and none of it may touch the container. */
export function loginServicesOf(env: Cloudflare.Env): LoginServices {
  return { store: env.OAUTH_KV, journal: journalFor(env) };
}

function journalObject(env: Cloudflare.Env): JournalAccess {
  return env.JOURNAL.get(env.JOURNAL.idFromName(JOURNAL_NAME));
}

/** The files of the admin page, which the build leaves in dist/site. */
export function pageFiles(env: Cloudflare.Env): Pick<Fetcher, "fetch"> {
  return env.ASSETS;
}

function journalFor(env: Cloudflare.Env): Journal {
  return journalOf(journalObject(env), waitUntil);
}
