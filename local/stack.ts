import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { openBridgeDoor } from "./bridge-door.ts";
import { openBrowser } from "./browser/browser.ts";
import { checkJail } from "./container/jail.ts";
import { type ContainerHost, startContainerHost } from "./container/host.ts";
import { SETTINGS } from "../src/config/settings.ts";
import { AUTHORIZED_PATH } from "./access-path.ts";
import { dockerName, writeDockerConfig } from "./docker/config.ts";
import { buildImage, removeContainers } from "./docker/engine.ts";
import { KeptFolder } from "./folder/kept-folder.ts";
import { remoteFolder } from "./folder/remote.ts";
import type { Person } from "./login/people.ts";
import { startLoginProvider } from "./login/provider.ts";
import { startModelStandIn } from "./model/standin.ts";
import { buildPage } from "./page.ts";
import { freePort } from "./ports.ts";
import { hasProvider } from "./variables.ts";
import { tieWorkerd } from "./workerd.ts";

const ROOT = join(import.meta.dirname, "..");

/** Where in the jail the host's forwarder to the Worker listens. */
const BRIDGE_IN_JAIL = "http://127.0.0.1:8790";

const OWNER = "owner@moltbot.local";

const DOCKER = join(ROOT, "local", "docker", "docker.sh");

const portsSchema = z.object({ worker: z.number(), login: z.number() });
const warmSchema = z.object({ ready: z.boolean(), reason: z.string().optional() });

export interface StackOptions {
  /** Everything that survives a restart: the sandboxes, Durable Objects, keys, logs. */
  stateDir: string;
  /** The Worker's port, if it is free. Left out, the one of the last time: tokens and identities name the URL. */
  port?: number;
  /** The port when there was no last time. */
  firstPort?: number;
  /** Settings of the Worker, over what this machine provides. */
  variables: Record<string, string>;
  /** Hosts, `host` or `host:port`, that the browser may reach although their addresses are private. */
  browserHosts?: readonly string[];
  /** Another entry module than local/worker.ts: the benchmarks' has peers to compare with. */
  entry?: string;
  /** Runs the image of the deployment in Docker, in place of the jail. */
  docker?: boolean;
}

export interface Stack {
  url: string;
  /** The gateway's Control UI: the same port under another host name, for cookies do not know ports. */
  controlUrl: string;
  /** Undefined when a real provider is set. */
  standInUrl: string | undefined;
  passwordFile: string;
  /** Who can sign in, by the addresses in ALLOWED_EMAILS; the first is the owner. */
  people: readonly Person[];
  /** The jail host; its token opens every port of every sandbox. */
  host: { url: string; token: string };
  /** Starts the gateway and resolves when it answers; rejects with the reason and the end of its log. */
  warm(): Promise<void>;
  /** Ends every process that was started for it. */
  close(): Promise<void>;
}

/** The whole Moltbot on one machine: jail host, identity provider, model stand-in where needed, and the Worker. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { stateDir, variables } = options;
  // Offline it would only complain: the made-up request.cf is used either way.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  // The development server's explorer would let anyone on this machine read and write all storage.
  process.env.X_LOCAL_EXPLORER = "false";
  process.env.X_LOCAL_OBSERVABILITY = "false";
  tieWorkerd();
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  await checkJail();
  await buildPage();
  if (options.docker) await buildImage(`${dockerName(stateDir)}:latest`, process.env);
  const ports = await choosePorts(stateDir, options);
  const url = `http://localhost:${ports.worker}`;
  // Browsers take every name under localhost for this machine.
  const controlUrl = (variables.CONTROL_UI_URL ?? `http://ui.localhost:${ports.worker}`).replace(/\/+$/, "");
  const log = createWriteStream(rotated(join(stateDir, "moltbot.log")), { flags: "a", mode: 0o600 });
  const write = (line: string) => void log.write(`${line}\n`);
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const stop of closing.toReversed()) await stop();
    log.end();
  };
  try {
    const door = await openBridgeDoor(ports.worker);
    closing.push(() => door.close());
    const startJails = () =>
      startContainerHost({
        stateDir: join(stateDir, "sandboxes"),
        nodeBinary: process.execPath,
        containerDir: join(ROOT, "container"),
        bridge: () => ({ host: "127.0.0.1", port: door.port }),
        log: write,
        folder: new KeptFolder(
          join(stateDir, "files"),
          remoteFolder(url, () => host.token),
          write,
        ),
        egress: egressOf(variables),
      });
    const host: ContainerHost = options.docker ? noJails() : await startJails();
    closing.push(() => host.close());

    const browser = await openBrowser({
      stateDir: join(stateDir, "browser"),
      privateHosts: options.browserHosts ?? [],
      log: write,
    });
    closing.push(() => browser.close());

    const clients = {
      worker: { id: "moltbot-worker", secret: newSecret(), redirectUris: [`${url}/callback`] },
      access: {
        id: "moltbot-pages",
        secret: newSecret(),
        redirectUris: [url, controlUrl].map((site) => `${site}${AUTHORIZED_PATH}`),
      },
    };
    const login = await startLoginProvider({
      path: "/cdn-cgi/access/sso/oidc/local",
      port: ports.login,
      stateDir: join(stateDir, "login"),
      clients,
      people: addressesIn(variables.ALLOWED_EMAILS),
      log: write,
    });
    closing.push(() => login.close());
    const [owner] = login.people;

    const standIn = hasProvider(variables) ? undefined : await startModelStandIn({ log: write });
    if (standIn) closing.push(() => standIn.close());

    if (options.docker) {
      const remove = () => removeContainers(dockerName(stateDir));
      // Also when the process ends before it has closed: at Ctrl-C wrangler ends it.
      process.once("exit", remove);
      closing.push(async () => remove());
    }
    const worker = await unstable_startWorker({
      config: options.docker ? writeDockerConfig(stateDir, process.env) : join(ROOT, "local", "wrangler.jsonc"),
      ...(options.entry ? { entrypoint: options.entry } : {}),
      bindings: plainText({
        PUBLIC_URL: url,
        CONTROL_UI_URL: controlUrl,
        OIDC_ISSUER: login.issuer,
        OIDC_CLIENT_ID: clients.worker.id,
        OIDC_CLIENT_SECRET: clients.worker.secret,
        ...(variables.ACCESS_TEAM_DOMAIN === undefined
          ? {
              ACCESS_TEAM_DOMAIN: login.issuer,
              ACCESS_AUD: clients.access.id,
              LOCAL_ACCESS_SECRET: clients.access.secret,
            }
          : {}),
        ALLOWED_EMAILS: OWNER,
        ...(options.docker ? {} : { BRIDGE_URL: BRIDGE_IN_JAIL }),
        SANDBOX_LOG_LEVEL: "error",
        ...(standIn ? { ANTHROPIC_BASE_URL: standIn.url, MODEL: "stand-in" } : {}),
        BROWSER_PRIVATE_HOSTS: (options.browserHosts ?? []).join(","),
        ...variables,
        CONTAINER_HOST_URL: host.url,
        CONTAINER_HOST_TOKEN: host.token,
      }),
      dev: {
        server: { hostname: "127.0.0.1", port: ports.worker },
        persist: join(stateDir, "worker"),
        enableContainers: options.docker === true,
        ...(options.docker ? { containerBuildId: randomBytes(4).toString("hex"), dockerPath: DOCKER } : {}),
        inspector: false,
        watch: false,
        logLevel: "error",
        structuredLogsHandler: ({ message }: { message: string }) => write(message),
      },
    });
    closing.push(() => worker.dispose());
    // Before the Worker: a container that ends brings its last changes there.
    closing.push(() => host.close());
    await worker.ready;
    const warm = async () => {
      const response = await fetch(`${url}/local/warm`, { headers: { "x-container-host-token": host.token } });
      const { ready, reason } = warmSchema.parse(await response.json());
      if (!ready) throw new Error(reason);
    };
    const { passwordFile } = owner;
    return { url, controlUrl, standInUrl: standIn?.url, passwordFile, people: login.people, host, warm, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Docker runs the containers, and nothing listens here; the token opens the launcher's routes of the Worker. */
function noJails(): ContainerHost {
  return { url: "http://docker.invalid", token: newSecret(), close: async () => undefined };
}

/** The Worker's setting, for what stands here in the platform's place. */
function egressOf({ EGRESS_ALLOW }: Record<string, string>): { allow?: string[] } {
  const allow = SETTINGS.EGRESS_ALLOW.schema.safeParse(EGRESS_ALLOW);
  if (!allow.success) throw new Error(`EGRESS_ALLOW ${allow.error.issues[0]?.message}.`);
  return allow.data.length > 0 ? { allow: allow.data } : {};
}

/** The owner alone, when nobody is named. */
function addressesIn(list = ""): string[] {
  const addresses = list
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return addresses.length > 0 ? addresses : [OWNER];
}

function newSecret(): string {
  return randomBytes(24).toString("base64url");
}

async function choosePorts(
  stateDir: string,
  wanted: Pick<StackOptions, "port" | "firstPort">,
): Promise<z.output<typeof portsSchema>> {
  const file = join(stateDir, "ports.json");
  const kept = existsSync(file) ? portsSchema.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
  const ports = {
    worker: await freePort(wanted.port ?? kept?.worker ?? wanted.firstPort),
    login: await freePort(kept?.login),
  };
  writeFileSync(file, JSON.stringify(ports), { mode: 0o600 });
  return ports;
}

/** The log of this run is its own; that of the last one is kept beside it. */
function rotated(path: string): string {
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return path;
}

function plainText(variables: Record<string, string>): Record<string, { type: "plain_text"; value: string }> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { type: "plain_text", value }]));
}
