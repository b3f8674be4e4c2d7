import { RpcTarget } from "capnweb";
import { relative } from "node:path";
import { DirectoryWatch, type Change } from "./directory-watch.ts";
import { eventStream, type EventStream } from "./event-stream.ts";
import { failure, fileFailure } from "./failure.ts";
import type { Sessions } from "./sessions.ts";

const DEFAULT_EXCLUDE = [".git", "node_modules", ".DS_Store"];
/** Events of this long are sent together, the same event once: an editor's save is a dozen writes. */
const COALESCE_MS = 75;
const RETAINED_MS = 10 * 60 * 1000;

interface WatchRequest {
  path: string;
  recursive?: boolean;
  include?: string[];
  exclude?: string[];
  since?: string;
  sessionId?: string;
}

interface ActiveWatch {
  id: string;
  /** Grows with every change: what checkChanges compares. */
  cursor: number;
  readonly subscribers: Set<EventStream>;
  readonly pending: Map<string, Change & { timestamp: string }>;
  readonly watch: DirectoryWatch;
  /** Set once checkChanges was asked: the watch then outlives its subscribers. */
  expiry: NodeJS.Timeout | undefined;
}

/** rpc group `watch`: file changes as events, or as the answer to "has anything changed since?". */
export class Watch extends RpcTarget {
  readonly #sessions: Sessions;
  readonly #active = new Map<string, Promise<ActiveWatch>>();
  #count = 0;

  constructor(sessions: Sessions) {
    super();
    this.#sessions = sessions;
  }

  async watch(request: WatchRequest): Promise<ReadableStream<Uint8Array>> {
    const key = this.#key(request);
    const active = await this.#open(key, request);
    const events = eventStream({
      onEnd: () => {
        active.subscribers.delete(events);
        if (active.subscribers.size === 0 && active.expiry === undefined) this.#close(key, active);
      },
    });
    events.send({ type: "watching", path: request.path, watchId: active.id });
    active.subscribers.add(events);
    return events.stream;
  }

  async checkChanges(request: WatchRequest) {
    const key = this.#key(request);
    const created = !this.#active.has(key);
    const active = await this.#open(key, request);
    clearTimeout(active.expiry);
    active.expiry = setTimeout(() => this.#close(key, active), RETAINED_MS).unref();
    const answer = { success: true, version: `${active.id}:${active.cursor}`, timestamp: new Date().toISOString() };
    if (request.since === undefined) return { ...answer, status: "unchanged" };
    const [, id, cursor] = /^(.+):(\d+)$/.exec(request.since) ?? [];
    if (id === undefined || (id === active.id && Number(cursor) > active.cursor)) {
      throw failure("VALIDATION_FAILED", "since must be a version returned by checkChanges()", {
        since: request.since,
      });
    }
    if (id !== active.id) return { ...answer, status: "resync", reason: created ? "expired" : "restarted" };
    return { ...answer, status: Number(cursor) === active.cursor ? "unchanged" : "changed" };
  }

  #key({ path, recursive, include, exclude, sessionId }: WatchRequest): string {
    return JSON.stringify([this.#sessions.path(path, sessionId), recursive !== false, include ?? [], exclude ?? []]);
  }

  #open(key: string, request: WatchRequest): Promise<ActiveWatch> {
    const existing = this.#active.get(key);
    if (existing !== undefined) return existing;
    const opening = this.#start(request).catch((error: unknown) => {
      this.#active.delete(key);
      throw fileFailure(error, request.path, "watch.start");
    });
    this.#active.set(key, opening);
    return opening;
  }

  async #start(request: WatchRequest): Promise<ActiveWatch> {
    this.#count += 1;
    const root = this.#sessions.path(request.path, request.sessionId);
    const { wanted, entered } = matcher(request, root);
    const active: ActiveWatch = {
      id: `watch-${this.#count}-${Date.now()}`,
      cursor: 0,
      subscribers: new Set(),
      pending: new Map(),
      expiry: undefined,
      watch: new DirectoryWatch({
        recursive: request.recursive !== false,
        wanted,
        entered,
        onChange: (change) => noteChange(active, change),
      }),
    };
    await active.watch.open(root).catch((error: unknown) => {
      active.watch.close();
      throw error;
    });
    return active;
  }

  #close(key: string, active: ActiveWatch): void {
    this.#active.delete(key);
    active.watch.close();
    for (const events of active.subscribers) {
      events.send({ type: "stopped", reason: "Nobody asked about this path for a while" });
      events.close();
    }
  }
}

function noteChange(active: ActiveWatch, change: Change): void {
  active.cursor += 1;
  if (active.pending.size === 0) setTimeout(() => flush(active), COALESCE_MS);
  active.pending.set(`${change.eventType} ${change.path}`, { ...change, timestamp: new Date().toISOString() });
}

function flush(active: ActiveWatch): void {
  for (const change of active.pending.values()) {
    for (const events of active.subscribers) events.send({ type: "event", ...change });
  }
  active.pending.clear();
}

/** `include` wins over `exclude`, as in the real server. Patterns match whole path segments. */
function matcher({ include, exclude }: WatchRequest, root: string) {
  const matches = (patterns: RegExp[], path: string) => patterns.some((pattern) => pattern.test(relative(root, path)));
  if (include !== undefined && include.length > 0) {
    const patterns = include.map(segments);
    const ignored = DEFAULT_EXCLUDE.map(segments);
    // A directory has to be entered before anything in it can match.
    return { wanted: (path: string) => matches(patterns, path), entered: (path: string) => !matches(ignored, path) };
  }
  const patterns = (exclude !== undefined && exclude.length > 0 ? exclude : DEFAULT_EXCLUDE).map(segments);
  const wanted = (path: string) => !matches(patterns, path);
  return { wanted, entered: wanted };
}

function segments(glob: string): RegExp {
  const source = glob
    .split("**")
    .map((part) =>
      part
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/[*]/g, "[^/]*")
        .replace(/[?]/g, "[^/]"),
    )
    .join(".*");
  return new RegExp(`(^|/)${source}(/|$)`);
}
