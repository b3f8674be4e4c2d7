import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { sha256 } from "../core/digest.ts";
import { hex, randomBytes } from "../core/encoding.ts";
import { Failure, type FailureView } from "../core/failure.ts";
import { type Reply, reply } from "../core/reply.ts";
import type { GatewayAccess } from "../gateway/access.ts";
import type { ApprovalDecision } from "../gateway/approvals.ts";
import { CHAT_SCOPES, connectGateway } from "../gateway/connect.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import { createDevice, type DeviceKey, deviceKey } from "../gateway/device.ts";
import { readEvent } from "../gateway/events.ts";
import {
  type GatewayPairings,
  gatewayPairings,
  PAIRING_SCOPE,
  type PairingList,
  type PairingName,
} from "../gateway/pairings.ts";
import {
  type AskedApproval,
  type CancelledRun,
  type ChatAccess,
  type ChatMessage,
  chatMessage,
  type ChatStatus,
  type ConversationView,
  type HistoryPage,
  type RunView,
  type StartedRun,
  type TurnOwner,
} from "./access.ts";
import { asked } from "./approvals.ts";
import { conversationName, sessionKey, titleOf } from "./conversation.ts";
import { followRun } from "./follow.ts";
import { historyPage } from "./history.ts";
import { CHAT_LIMITS, type ChatLimits } from "./limits.ts";
import { GatewayLink } from "./link.ts";
import { Runner } from "./runner.ts";
import { type Run, RunStore } from "./run-store.ts";
import type { Turn } from "./turn.ts";

const DEVICE = "device";
const SIGNING_KEY = "signing-key";

/** What lives in memory only. */
interface Working {
  link: GatewayLink;
  runner: Runner;
}

/** Holds all chats and the one connection to the gateway. The entry says how the gateway is reached. */
export abstract class ChatObject<Env> extends DurableObject<Env> implements ChatAccess {
  protected readonly limits: ChatLimits = CHAT_LIMITS;
  readonly #store = new RunStore(this.ctx.storage.sql);
  #lazy: Working | undefined;

  protected abstract gateway(): GatewayAccess;

  send(principal: string, message: ChatMessage): Promise<Reply<StartedRun>> {
    return reply("chat.send", async () => {
      const input = parseInput(message);
      const { conversation, attachments, idempotencyKey = null, client = null } = input;
      const [session, fingerprint] = await Promise.all([
        sessionKey(principal, conversation),
        sha256(JSON.stringify([conversation, input.message, attachments])),
      ]);
      // From here to the insert nothing is awaited: two calls with one key cannot both miss each other.
      const known = idempotencyKey === null ? undefined : this.#store.byKey(principal, idempotencyKey);
      if (known) {
        if (known.digest !== fingerprint) throw keyTaken();
        return { runId: known.id, conversation, cursor: 0 };
      }
      if (this.#store.openIn(session) > this.limits.queue) throw queueFull();
      const run: Run = {
        id: crypto.randomUUID(),
        principal,
        conversation,
        session,
        idempotency: idempotencyKey,
        digest: fingerprint,
        message: input.message,
        state: "queued",
        created: Date.now(),
        started: null,
        ended: null,
        boot: null,
        client,
      };
      this.#store.insert(run, attachments, titleOf(input.message));
      this.#awake().runner.next(session);
      await this.#watch();
      return { runId: run.id, conversation, cursor: 0 };
    });
  }

  follow(principal: string, runId: string, cursor: number): Promise<Reply<ReadableStream<Uint8Array>>> {
    return reply("chat.follow", () => {
      const run = this.#own(principal, runId);
      if (!Number.isSafeInteger(cursor) || cursor < 0) throw new Failure("invalid_input", "cursor: not a position.");
      const last = () => {
        const event = this.#store.last(run.id);
        return event?.type === "end" ? event : undefined;
      };
      const open = run.state === "queued" || run.state === "running";
      if (open) return followRun(this.#awake().runner.log(run.id), cursor, last);
      const stored = { read: (at: number) => this.#store.events(run.id, at), changed: () => undefined };
      return followRun(stored, cursor, last);
    });
  }

  cancel(principal: string, runId: string): Promise<Reply<CancelledRun>> {
    return reply("chat.cancel", async () => {
      const run = this.#own(principal, runId);
      const { runner } = this.#awake();
      const turn = runner.turn(runId);
      if (turn) await runner.cancel(turn);
      else if (run.state === "queued") runner.drop(run);
      const end = this.#store.last(runId);
      if (end?.type !== "end") throw new Failure("internal", "The run was stopped but its end is not known.");
      const already = (turn === undefined && run.state !== "queued") || end.status !== "cancelled";
      return { runId, status: end.status, already, text: end.text };
    });
  }

  /** Stops every run, whoever's it is: the container is about to stop. Those that wait for the gateway wait on. */
  cancelAll(): Promise<Reply<void>> {
    return reply("chat.cancelAll", async () => {
      if (this.#store.inState("running").length > 0) await this.#awake().runner.cancelAll(this.limits.endWithinMs);
    });
  }

  isOpen(): Promise<Reply<boolean>> {
    return reply("chat.isOpen", async () => this.#open());
  }

  approvals(principal: string, runId: string): Promise<Reply<AskedApproval[]>> {
    return reply("chat.approvals", () => {
      this.#own(principal, runId);
      const turn = this.#awake().runner.turn(runId);
      return turn?.log.waiting(Date.now()).map(asked) ?? [];
    });
  }

  approve(principal: string, id: string, decision: ApprovalDecision): Promise<Reply<{ runId: string }>> {
    return reply("chat.approve", async () => {
      const run = await this.#awake().runner.approve(principal, id, decision);
      return { runId: run.id };
    });
  }

  conversations(principal: string): Promise<Reply<ConversationView[]>> {
    return reply("chat.conversations", () => {
      const open = this.#store.ofPrincipal(principal).filter((run) => run.ended === null);
      return this.#store.conversations(principal).map(({ name, title, activity, messages }) => {
        const here = open.filter((run) => run.conversation === name);
        const running = here.find((run) => run.state === "running");
        return {
          conversation: name,
          title,
          lastActivity: new Date(activity).toISOString(),
          messages,
          ...(running ? { running: running.id } : {}),
          queued: here.filter((run) => run.state === "queued").length,
        };
      });
    });
  }

  history(
    principal: string,
    conversation: string,
    query: { limit: number; before?: string },
  ): Promise<Reply<HistoryPage>> {
    return reply("chat.history", async () => {
      const name = conversationName.safeParse(conversation);
      const known = this.#store.conversations(principal).some((row) => row.name === conversation);
      if (!name.success || !known) {
        throw new Failure("not_found", `There is no conversation "${conversation}".`, {
          hint: "chat_conversations lists them; chat_send begins one.",
        });
      }
      const session = await sessionKey(principal, conversation);
      return await historyPage(await this.#awake().link.use(), { session, conversation }, query);
    });
  }

  runs(principal: string): Promise<Reply<RunView[]>> {
    return reply("chat.runs", () => this.#store.ofPrincipal(principal).map(view));
  }

  status(): Promise<Reply<ChatStatus>> {
    return reply("chat.status", () => {
      const hello = this.#lazy?.link.current?.hello;
      return {
        connected: hello !== undefined,
        ...(hello ? { gatewayVersion: hello.server.version } : {}),
        running: this.#store.inState("running").length,
        queued: this.#store.inState("queued").length,
      };
    });
  }

  /** A secret of this Worker for signing, made at its first use: 64 hexadecimal digits. */
  signingKey(): string {
    const stored = z.string().safeParse(this.ctx.storage.kv.get(SIGNING_KEY));
    if (stored.success) return stored.data;
    const made = hex(randomBytes(32));
    this.ctx.storage.kv.put(SIGNING_KEY, made);
    return made;
  }

  /** A model answers in this conversation of the gateway; whose turn that is. */
  modelAnswered(session: string, model: string): Promise<Reply<TurnOwner | undefined>> {
    return reply("chat.model", () =>
      this.#told(session, (turn) => {
        turn.model = model;
        turn.modelFailure = undefined;
      }),
    );
  }

  /** No model answers in this conversation of the gateway; should the turn fail, this is why. */
  modelFailed(session: string, failure: FailureView): Promise<Reply<TurnOwner | undefined>> {
    return reply("chat.model", () =>
      this.#told(session, (turn) => {
        turn.modelFailure = failure;
      }),
    );
  }

  #told(session: string, tell: (turn: Turn) => void): TurnOwner | undefined {
    const turn = this.#awake().runner.turnIn(session);
    if (!turn) return undefined;
    tell(turn);
    const { principal, client, conversation } = turn.run;
    return { principal, client: client ?? undefined, conversation };
  }

  /** Wakes an evicted object whose runs go on, ends those that took too long, forgets old ones. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#awake().runner.expire(now);
    const oldest = this.#store.prune(now - this.limits.keepMs, this.limits.keepRuns);
    if (this.#open()) await this.#watch();
    else if (oldest !== undefined) await this.ctx.storage.setAlarm(oldest + this.limits.keepMs + 1_000);
  }

  #open(): boolean {
    return this.#store.inState("running").length > 0 || this.#store.inState("queued").length > 0;
  }

  async #watch(): Promise<void> {
    const due = Date.now() + this.limits.watchMs;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > due) await this.ctx.storage.setAlarm(due);
  }

  /** What works in memory, begun with the runs that an earlier life of this object left behind. */
  #awake(): Working {
    if (this.#lazy) return this.#lazy;
    const link = new GatewayLink({
      open: () => this.#connect(),
      onLost: (failure) => runner.recover(failure),
      busy: () => runner.running > 0,
      idleMs: this.limits.idleMs,
    });
    const runner = new Runner({ store: this.#store, link, access: () => this.gateway(), limits: this.limits });
    this.#lazy = { link, runner };
    for (const run of this.#store.inState("running")) runner.take(run);
    for (const run of this.#store.inState("queued")) runner.next(run.session);
    return this.#lazy;
  }

  /** Who asks to write to the bot on a chat service. Starts the gateway when it is down: whoever calls has looked first. */
  pairings(): Promise<Reply<PairingList>> {
    return this.#pairing("chat.pairings", (pairings) => pairings.list());
  }

  approvePairing(request: PairingName): Promise<Reply<{ told: boolean }>> {
    return this.#pairing("chat.approvePairing", (pairings) => pairings.approve(request));
  }

  rejectPairing(request: PairingName): Promise<Reply<void>> {
    return this.#pairing("chat.rejectPairing", (pairings) => pairings.reject(request));
  }

  /** On a connection of its own that ends with the call, for the chats' has no right to it. */
  #pairing<T>(operation: string, work: (pairings: GatewayPairings) => Promise<T>): Promise<Reply<T>> {
    return reply(operation, async () => {
      const scopes = [...CHAT_SCOPES, PAIRING_SCOPE];
      const device = await this.#device();
      const connection = await connectGateway(this.gateway(), { device, scopes, onEvent: () => {} });
      try {
        return await work(gatewayPairings((...call) => connection.request(...call)));
      } finally {
        connection.close();
      }
    });
  }

  async #device(): Promise<DeviceKey> {
    const stored = deviceKey.safeParse(this.ctx.storage.kv.get(DEVICE));
    if (stored.success) return stored.data;
    const made = await createDevice();
    // Somebody else may have made one meanwhile: the first counts.
    const now = deviceKey.safeParse(this.ctx.storage.kv.get(DEVICE));
    if (now.success) return now.data;
    this.ctx.storage.kv.put(DEVICE, made);
    return made;
  }

  async #connect(): Promise<GatewayConnection> {
    const connection = await connectGateway(this.gateway(), {
      device: await this.#device(),
      scopes: CHAT_SCOPES,
      onEvent: (name, payload) => {
        const event = readEvent(name, payload);
        if (event) this.#awake().runner.hear(event);
      },
    });
    // Nobody waits for it: the runs that were cut off go on meanwhile.
    this.ctx.waitUntil(this.#awake().runner.catchUp(connection));
    return connection;
  }

  #own(principal: string, runId: string): Run {
    const run = this.#store.run(runId);
    if (run?.principal === principal) return run;
    throw new Failure("not_found", "There is no such run.", {
      hint: "Runs are kept for a day. chat_conversations shows what goes on; chat_send starts a new one.",
    });
  }
}

function parseInput(message: ChatMessage) {
  const input = chatMessage.safeParse(message);
  if (input.success) return input.data;
  const [issue] = input.error.issues;
  throw new Failure("invalid_input", `${issue?.path.join(".") ?? "message"}: ${issue?.message ?? "not valid"}.`);
}

function keyTaken(): Failure {
  return new Failure("conflict", "This idempotencyKey was used for a different message.", {
    hint: "Use a new key for a new message; the same key only to repeat the very same one.",
  });
}

function queueFull(): Failure {
  return new Failure("limited", "Too many messages wait in this conversation.", {
    hint: "Wait for an answer with chat_wait, cancel some with chat_cancel, or use another conversation.",
  });
}

function view(run: Run): RunView {
  return {
    runId: run.id,
    conversation: run.conversation,
    state: run.state,
    title: titleOf(run.message),
    started: new Date(run.created).toISOString(),
    ...(run.ended === null ? {} : { ended: new Date(run.ended).toISOString() }),
  };
}
