import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { type Reply, reply } from "../core/reply.ts";
import type {
  Begun,
  Change,
  CommitRequest,
  Generation,
  ImportedTrees,
  KeeperReport,
  MemoryArchive,
  MemoryReader,
  MemoryStatus,
  MemoryWriter,
  SearchRequest,
  Wanted,
} from "./access.ts";
import type { Manifest } from "./format.ts";
import { Generations, PIN_MS } from "./generations.ts";
import { type GenerationRow, Ledger } from "./ledger.ts";
import { Recall } from "./recall.ts";
import type { Retention } from "./retention.ts";
import type { Hit } from "./search/hit.ts";
import { MemoryStore } from "./store.ts";
import { sweep } from "./sweep.ts";

const FIRST_PRUNE_MS = 10 * 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const reportSchema = z.object({
  problem: z.string().nullable(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});

/** The single writer of the bot's memory. */
export abstract class MemoryObject<Env>
  extends DurableObject<Env>
  implements MemoryWriter, MemoryReader, MemoryArchive
{
  readonly #ledger: Ledger;
  readonly #recall: Recall;
  #made: { store: MemoryStore; generations: Generations } | undefined;
  /** What changes generations or deletes goes one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState<{}>, env: Env) {
    super(ctx, env);
    this.#ledger = new Ledger(ctx.storage);
    this.#recall = new Recall(ctx.storage, this.#ledger, () => this.#store);
  }

  protected abstract bucket(): R2Bucket;

  /** Asked at each prune. */
  protected abstract retention(): Retention;

  /** A new fence: whatever an earlier start of the container still has on its way is refused from now on. */
  begin(): Promise<Reply<Begun>> {
    return this.#alone("memory.begin", async () => {
      const head = await this.#generations.present(true);
      const fence = this.#fence() + 1;
      this.#ledger.setFact("fence", String(fence));
      this.#ledger.entries.dropStaged();
      this.#setReport({ problem: null, skipped: [] });
      return { fence, head: head ?? null };
    });
  }

  head(fence: number): Promise<Reply<{ head: Manifest | null }>> {
    return this.#alone("memory.head", async () => {
      this.#admit(fence);
      // Whoever asks knows nothing of what another keeper of this start has staged.
      this.#ledger.entries.dropStaged();
      return { head: (await this.#generations.present()) ?? null };
    });
  }

  want(fence: number, contents: readonly string[]): Promise<Reply<Wanted>> {
    return reply("memory.want", () => {
      this.#admit(fence);
      return this.#wanted(contents);
    });
  }

  /** As `want`, for an import, which is no container's. */
  offer(contents: readonly string[]): Promise<Reply<Wanted>> {
    return reply("memory.offer", async () => {
      await this.#met();
      return this.#wanted(contents);
    });
  }

  #wanted(contents: readonly string[]): Wanted {
    const wanted: Wanted = { known: {}, upload: {} };
    for (const sha of contents) {
      const known = this.#ledger.blobs.usable(sha);
      const name = known ?? this.#ledger.blobs.reserve(sha);
      this.#ledger.blobs.pin(name, Date.now() + PIN_MS);
      wanted[known === undefined ? "upload" : "known"][sha] = name;
    }
    return wanted;
  }

  stored(fence: number, name: string, bytes: number): Promise<Reply<void>> {
    return reply("memory.stored", () => {
      this.#admit(fence);
      this.#arrived(name, bytes);
    });
  }

  arrived(name: string, bytes: number): Promise<Reply<void>> {
    return reply("memory.arrived", () => this.#arrived(name, bytes));
  }

  #arrived(name: string, bytes: number): void {
    this.#ledger.blobs.pin(name, Date.now() + PIN_MS);
    this.#ledger.blobs.setStored(name, bytes);
  }

  stage(fence: number, changes: readonly Change[]): Promise<Reply<void>> {
    // Not beside a commit, which would take it for its own.
    return this.#alone("memory.stage", async () => {
      this.#admit(fence);
      this.#ledger.entries.stage(changes);
    });
  }

  commit({ fence, base, reason, staged, changes, oldestChangeAt }: CommitRequest): Promise<Reply<Manifest>> {
    return this.#alone("memory.commit", async () => {
      this.#admit(fence);
      const started = Date.now();
      try {
        this.#requireStaged(staged);
        this.#ledger.entries.stage(changes);
        const manifest = await this.#generations.commit(base, { fence, reason, now: started });
        this.#ledger.setFact("lag", String(Math.max(0, Date.now() - oldestChangeAt)));
        this.#setReport({ ...this.#report(), problem: null });
        await this.#planPrune(FIRST_PRUNE_MS);
        this.ctx.waitUntil(this.#recall.catchUp());
        const { generation, files, bytes } = manifest;
        log("info", "memory.commit", { outcome: "ok", generation, files, bytes, ms: Date.now() - started });
        return manifest;
      } catch (error) {
        // The next commit brings all of it again.
        this.#ledger.entries.dropStaged();
        throw error;
      }
    });
  }

  /** A commit that is tried again after it failed finds what was staged for it gone. */
  #requireStaged(staged: number): void {
    const there = this.#ledger.entries.stagedCount();
    if (there === staged) return;
    throw new Failure("conflict", `${there} changes are staged for the commit; it speaks of ${staged}.`, {
      hint: "Ask for the head, stage all of them again.",
    });
  }

  report(fence: number, report: KeeperReport): Promise<Reply<void>> {
    return reply("memory.report", () => {
      this.#admit(fence);
      this.#setReport(report);
    });
  }

  /** Kept in storage: this object may be gone a few seconds after the keeper has spoken. */
  #setReport(report: KeeperReport): void {
    this.#ledger.setFact("report", JSON.stringify(report));
  }

  #report(): KeeperReport {
    const kept = this.#ledger.fact("report");
    return kept === undefined ? { problem: null, skipped: [] } : reportSchema.parse(JSON.parse(kept));
  }

  damaged(name: string): Promise<Reply<{ sound: string | null }>> {
    return reply("memory.damaged", async () => {
      const found = await this.#store.blob(name).then(
        () => "sound" as const,
        (error: unknown) => (error instanceof Failure && error.code !== "unavailable" ? "damaged" : "unknown"),
      );
      // Never used again for new content, which then gets a blob of its own.
      if (found === "damaged") this.#ledger.blobs.setDamaged(name);
      const naming = [...this.#ledger.trees()].filter((tree) => this.#ledger.blobs.ofTree(tree)?.includes(name));
      const bad = new Set([name, ...naming]);
      const sound = this.#ledger
        .generations("live")
        .toReversed()
        .find(({ trees }) => !trees.some((tree) => bad.has(tree)));
      return { sound: sound?.id ?? null };
    });
  }

  manifest(generation: string): Promise<Reply<Manifest>> {
    return reply("memory.manifest", () => this.#store.manifest(generation));
  }

  search(request: SearchRequest): Promise<Reply<{ hits: Hit[]; behind: boolean }>> {
    return reply("memory.search", async () => {
      await this.#met();
      return await this.#recall.search(request);
    });
  }

  read(request: Parameters<MemoryReader["read"]>[0]) {
    return reply("memory.read", async () => {
      await this.#met();
      return await this.#recall.read(request);
    });
  }

  list(request: Parameters<MemoryReader["list"]>[0]) {
    return reply("memory.list", async () => {
      await this.#met();
      return await this.#recall.list(request);
    });
  }

  /** Newest first. */
  generations(): Promise<Reply<Generation[]>> {
    return reply("memory.generations", async () => {
      await this.#met();
      return this.#ledger.generations("live").toReversed().map(shown);
    });
  }

  /** The container has to be stopped, or what it still wants to commit is refused. */
  restore(generation: string): Promise<Reply<Generation>> {
    return this.#replace("memory.restore", (facts) => this.#generations.putBack(generation, facts));
  }

  takeIn(content: ImportedTrees): Promise<Reply<Generation>> {
    return this.#replace("memory.import", (facts) => this.#generations.takeIn(content, facts));
  }

  #replace(
    operation: string,
    work: (facts: { fence: number; now: number }) => Promise<Manifest>,
  ): Promise<Reply<Generation>> {
    return this.#alone(operation, async () => {
      // A missing head is one of the reasons to be here.
      await this.#generations.present(true).catch((error: unknown) => log("warn", operation, { cause: error }));
      const fence = this.#fence() + 1;
      this.#ledger.setFact("fence", String(fence));
      const { generation: id } = await work({ fence, now: Date.now() });
      const row = this.#ledger.generation(id);
      if (!row) throw new Failure("internal", `Generation ${id} is not in the ledger.`);
      this.ctx.waitUntil(this.#recall.catchUp());
      await this.#planPrune(FIRST_PRUNE_MS);
      return shown(row);
    });
  }

  status(): Promise<Reply<MemoryStatus>> {
    return reply("memory.status", async () => {
      const row = this.#ledger.generation(this.#ledger.fact("head") ?? "");
      const { blobs, bytes } = this.#ledger.blobs.totals();
      const lag = this.#ledger.fact("lag");
      return {
        head: row ? shown(row) : null,
        lagMs: lag === undefined ? null : Number(lag),
        generations: this.#ledger.liveCount(),
        blobs,
        storedBytes: bytes,
        nextPrune: await this.ctx.storage.getAlarm(),
        ...this.#report(),
      };
    });
  }

  /** Lets old generations go now. */
  prune(): Promise<Reply<{ generations: number; blobs: number }>> {
    return this.#alone("memory.prune", async () => {
      const present = await this.#generations.present();
      return await sweep(this.#store, this.#ledger, {
        present: present?.generation,
        now: Date.now(),
        retention: this.retention(),
      });
    });
  }

  /** Forgets all that this object knows and reads it from R2 again. */
  rebuild(): Promise<Reply<void>> {
    return this.#alone("memory.rebuild", async () => {
      this.#recall.forget();
      await this.#generations.rebuild();
      await this.#generations.present(true);
      this.ctx.waitUntil(this.#recall.catchUp());
    });
  }

  override async alarm(): Promise<void> {
    const pruned = await this.prune();
    const [newest] = this.#ledger.generations("live").slice(-1);
    const isFresh = newest !== undefined && Date.now() - newest.at < DAY;
    if (!pruned.ok || isFresh) await this.#planPrune(HOUR);
    else if (this.#ledger.liveCount() > 1) await this.#planPrune(DAY);
  }

  async #planPrune(inMs: number): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + inMs);
  }

  /** An object that has just been set up over an older bucket knows nothing yet. */
  async #met(): Promise<void> {
    if (this.#ledger.fact("last") === undefined) await this.#alone("memory.meet", () => this.#generations.present());
  }

  #fence(): number {
    return Number(this.#ledger.fact("fence") ?? 0);
  }

  #admit(fence: number): void {
    if (fence === this.#fence()) return;
    throw new Failure("forbidden", "Another start of the bot has taken over its memory.", {
      hint: "This container's changes are no longer kept; restart it.",
    });
  }

  #alone<T>(operation: string, work: () => Promise<T>): Promise<Reply<T>> {
    const turn = this.#last.then(() => reply(operation, work));
    this.#last = turn;
    return turn;
  }

  get #store(): MemoryStore {
    return this.#parts().store;
  }

  get #generations(): Generations {
    return this.#parts().generations;
  }

  #parts() {
    if (!this.#made) {
      const store = new MemoryStore(this.bucket());
      this.#made = { store, generations: new Generations(store, this.#ledger) };
    }
    return this.#made;
  }
}

function shown({ id, at, reason, files, bytes }: GenerationRow): Generation {
  return { id, at, reason, files, bytes };
}
