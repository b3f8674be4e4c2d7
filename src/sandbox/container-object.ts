import { Sandbox } from "@cloudflare/sandbox";
import { deadline, pause, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { Activity } from "./activity.ts";
import { anyCommandRuns } from "./commands.ts";
import type { EgressPolicy } from "./egress.ts";
import { type BucketFolder, FolderMount, type MountHost } from "./folder.ts";
import { Lookout, SERVER_PORT } from "./lookout.ts";
import { capReached, UptimeClock, type UptimeLimits } from "./uptime.ts";
import { NO_SESSION } from "./wire.ts";
import { Workbench } from "./workbench.ts";

/** How often the container is looked after while it is up. */
const WATCH_EVERY_S = 5;
/** A container that was asked to stop is killed after the one, and given up after the other. */
const STOPS_WITHIN_MS = 15_000;
const KILLED_WITHIN_MS = 5_000;
/** So often in a row the container may not say which commands run before it is stopped all the same. */
const MOST_UNLISTED = 2;

/** When the container may start, what keeps it up, and how it stops; whatever runs in it. */
export abstract class ContainerObject<Env extends Cloudflare.Env> extends Sandbox<Env> {
  protected readonly activity = new Activity(() => super.renewActivityTimeout());
  protected readonly clock: UptimeClock;
  protected readonly mounted: FolderMount;
  protected readonly bench: Workbench;
  protected readonly lookout = new Lookout(() => (this.isUp ? this.ctx.container?.getTcpPort(SERVER_PORT) : undefined));
  #unlisted = 0;
  #isNew = false;

  constructor(ctx: DurableObjectState<{}>, env: Env) {
    // Not by getSandbox, whose settings arrive after the first call may have begun: that one would speak plain HTTP.
    super(ctx, { ...env, SANDBOX_TRANSPORT: "rpc" });
    // The SDK reads both when it starts the container. With a list nothing may go past the Worker, TLS included.
    const { allow } = this.egress();
    this.enableInternet = allow === undefined;
    this.interceptHttps = allow !== undefined;
    this.clock = new UptimeClock(ctx.storage);
    this.mounted = new FolderMount(() => this.folder(), this.#mountHost());
    this.bench = new Workbench(this, {
      activity: this.activity,
      running: () => this.isUp,
      admit: () => this.requireTime(),
      prepare: () => this.mounted.ensure(),
    });
    // What an earlier life of this object left half done is taken up soon, whoever asks.
    void ctx.blockConcurrencyWhile(async () => {
      if (this.isUp) await this.#lookIn(1);
    });
  }

  protected abstract egress(): EgressPolicy;
  protected abstract limits(): UptimeLimits;
  /** Where the container has its folder for large files. */
  protected abstract folder(): BucketFolder;
  /** Looks after what runs in the container. */
  protected abstract round(): Promise<void>;

  protected get isUp(): boolean {
    return this.ctx.container?.running ?? false;
  }

  override async onStart(): Promise<void> {
    await super.onStart();
    // The SDK says so at each connection that it makes to the container.
    if (!this.#isNew) return;
    this.#isNew = false;
    await this.clock.started(Date.now());
    await this.#takeSettings();
    await this.#lookIn(WATCH_EVERY_S);
  }

  override async onStop(params: Parameters<Sandbox<Env>["onStop"]>[0]): Promise<void> {
    this.mounted.containerGone();
    this.bench.containerGone();
    await this.clock.stopped(Date.now());
    await super.onStop(params);
  }

  /** The alarm's round. */
  async lookAfter(): Promise<void> {
    await this.clock.seen(this.isUp, Date.now());
    if (!this.isUp) return;
    // Before anything that may fail: with no next round nobody would look any more.
    await this.#lookIn(WATCH_EVERY_S);
    await this.#takeSettings();
    const left = await this.clock.leftMs(true, Date.now(), this.limits());
    if (left !== undefined && left <= 0) {
      log("warn", "container.cap", { outcome: "reached" });
      // A run that goes on is no reason to go past the cap.
      this.ctx.waitUntil(this.stop());
      return;
    }
    if (left !== undefined && left < WATCH_EVERY_S * 1000) await this.#lookIn(Math.max(1, left / 1000));
    this.ctx.waitUntil(
      this.round().catch((cause: unknown) => log("error", "container.watch", { outcome: "failed", cause })),
    );
  }

  /** A command that was started and goes on keeps the container up; a chat's run does so by its open connection. */
  override async onActivityExpired(): Promise<void> {
    if (!this.activity.used && !(await this.#anyCommandRuns())) await super.onActivityExpired();
    super.renewActivityTimeout();
  }

  /** Every way to a running container comes by here: none goes past the cap, and what is no use starts nothing. */
  override async startAndWaitForPorts(...ports: Parameters<Sandbox<Env>["startAndWaitForPorts"]>): Promise<void> {
    if (!this.isUp) {
      if (!this.activity.used)
        throw new Failure("unavailable", "The container does not run, and this is no reason to start it.");
      await this.requireTime();
      this.#isNew = true;
    }
    await super.startAndWaitForPorts(...ports);
  }

  /** Makes the folder one of the container's. */
  protected mountFolder({ binding, path, prefix }: BucketFolder): Promise<void> {
    return this.mountBucket(binding, path, { prefix });
  }

  /** Throws when the container was up for as long as this month may have. */
  protected async requireTime(): Promise<void> {
    const limits = this.limits();
    const left = await this.clock.leftMs(this.isUp, Date.now(), limits);
    if (left !== undefined && left <= 0) throw capReached(limits.capHours ?? 0);
  }

  /** Stops the container, which has nothing more to do; returns when it has stopped, or does not. */
  protected async halt(signal: Parameters<Sandbox<Env>["stop"]>[0]): Promise<void> {
    await super.stop(signal);
    if (!(await this.#isDownWithin(STOPS_WITHIN_MS))) {
      log("warn", "container.stop", { outcome: "killed" });
      using patience = deadline(KILLED_WITHIN_MS);
      await raced(this.ctx.container?.destroy() ?? Promise.resolve(), patience.signal).catch(() => undefined);
      await this.#isDownWithin(KILLED_WITHIN_MS);
    }
    // The SDK would learn of the end at its next alarm: this way it does now, and tells onStop.
    if (!this.isUp) await super.stop();
  }

  async #isDownWithin(ms: number): Promise<boolean> {
    const end = Date.now() + ms;
    while (this.isUp && Date.now() < end) await pause(50);
    return !this.isUp;
  }

  async #anyCommandRuns(): Promise<boolean> {
    try {
      const runs = this.isUp && (await anyCommandRuns((line) => this.lookout.shell(line)));
      this.#unlisted = 0;
      return runs;
    } catch (cause) {
      this.#unlisted += 1;
      log("warn", "container.sleep", { outcome: "commands not known", times: this.#unlisted, cause });
      return this.#unlisted < MOST_UNLISTED;
    }
  }

  /** They may have changed with a deployment, while the container went on. */
  async #takeSettings(): Promise<void> {
    const { sleepAfter } = this.limits();
    const never = sleepAfter === "never";
    await this.setKeepAlive(never);
    if (never || this.sleepAfter === sleepAfter) return;
    await this.activity.use(() => this.setSleepAfter(sleepAfter));
  }

  async #lookIn(seconds: number): Promise<void> {
    this.deleteSchedules("lookAfter");
    await this.schedule(seconds, "lookAfter");
  }

  #mountHost(): MountHost {
    return {
      storage: this.ctx.storage,
      mount: (folder) => this.mountFolder(folder),
      unmount: (path) => this.unmountBucket(path),
      // Not by `shell`, which waits for the folder.
      succeeds: async (line) => (await this.execWithSessionToken(line, NO_SESSION)).exitCode === 0,
    };
  }
}
