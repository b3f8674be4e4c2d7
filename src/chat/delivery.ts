import { deadline, pause, raced } from "../core/deadline.ts";
import { toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { GatewayAccess } from "../gateway/access.ts";
import { abortRun, sendMessage } from "../gateway/chat.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { EndEvent } from "./event.ts";
import { collectFiles } from "./files.ts";
import type { ChatLimits } from "./limits.ts";
import type { GatewayLink } from "./link.ts";
import * as outcome from "./outcome.ts";
import { standing } from "./standing.ts";
import type { RunStore } from "./run-store.ts";
import type { Turn } from "./turn.ts";

/** An aborted run says so within 100 ms; after this it is ended without having heard. */
const ABORT_HEARD_MS = 3_000;

/** Failures after which another attempt may do better. */
const MAY_PASS: ReadonlySet<string> = new Set(["unavailable", "timeout", "upstream", "cancelled"]);

/** What it takes to bring a run to the gateway and its answer back. */
export interface Delivery {
  store: RunStore;
  link: GatewayLink;
  access: () => GatewayAccess;
  limits: ChatLimits;
  /** Writes a run's outcome down; does nothing when it has one. */
  end: (turn: Turn, event: EndEvent) => void;
}

/** Until the gateway has the run and we hear of it, or the run has ended. */
export async function drive(turn: Turn, delivery: Delivery): Promise<void> {
  if (turn.driving) return;
  turn.driving = true;
  const { retryMs } = delivery.limits;
  while (!turn.over) {
    const wait = retryMs[turn.troubles];
    if (wait === undefined || (turn.lastTrouble && !MAY_PASS.has(turn.lastTrouble.code))) {
      const failure = turn.lastTrouble ?? outcome.gatewayForgot();
      delivery.end(turn, outcome.failed(turn.log.text, turn.boot ? outcome.gatewayGone(failure) : failure));
      break;
    }
    try {
      if (wait > 0) await pause(wait);
      if (turn.over) break;
      const connection = await delivery.link.use();
      await bring(turn, connection, delivery);
      if (connection.open) break;
    } catch (error) {
      const failure = toFailure(error);
      log("warn", "chat.run", {
        run: turn.run.id,
        outcome: failure.code,
        attempt: turn.troubles,
        cause: failure.cause ?? failure.message,
      });
      turn.trouble(failure);
    }
  }
  turn.driving = false;
}

/** The gateway says that the run is over; `text` is its answer, if the event had it. */
export async function conclude(turn: Turn, text: string | undefined, delivery: Delivery): Promise<void> {
  try {
    if (text === undefined) {
      // Our message was put into another run, or the bot waited for one, or it chose to say nothing.
      await settle(turn, await delivery.link.use(), outcome.done(turn.log.text), delivery);
      return;
    }
    await finish(turn, text, delivery);
  } catch (error) {
    log("warn", "chat.run", { run: turn.run.id, outcome: toFailure(error).code, cause: error });
    void drive(turn, delivery);
  }
}

/** Stops a run, and returns when it has ended. */
export async function cancel(turn: Turn, delivery: Delivery): Promise<void> {
  if (turn.ending) {
    // It has its answer; only files are missing.
    await turn.ended;
    return;
  }
  if (turn.boot === undefined) {
    // Should the message be on its way, `bring` stops it when it arrives.
    delivery.end(turn, outcome.cancelled(turn.log.text));
    return;
  }
  const connection = await delivery.link.use();
  const { id: runId, session } = turn.run;
  if (await abortRun(connection, { session, runId })) {
    using limited = deadline(ABORT_HEARD_MS);
    await raced(turn.ended, limited.signal).catch(() => {});
  } else {
    await settle(turn, connection, outcome.cancelled(turn.log.text), delivery);
  }
  delivery.end(turn, outcome.cancelled(turn.log.text));
}

async function bring(turn: Turn, connection: GatewayConnection, delivery: Delivery): Promise<void> {
  const boot = connection.hello?.server.bootId ?? "";
  const { id: runId, session, message } = turn.run;
  if (turn.boot === undefined) {
    const attachments = delivery.store.attachments(runId);
    const sent = await sendMessage(connection, { session, message, runId, attachments });
    if (turn.over) {
      // Cancelled while the message was on its way; when the run was merely short, there is nothing to stop.
      await abortRun(connection, { session, runId });
      return;
    }
    if (sent === "stop") {
      await finish(turn, outcome.NOTHING_TO_STOP, delivery, connection);
      return;
    }
    turn.boot = boot;
    delivery.store.accepted(runId, boot);
    return;
  }
  if (turn.boot === boot)
    await settle(turn, connection, outcome.failed(turn.log.text, outcome.gatewayForgot()), delivery);
  else await settleRestarted(turn, connection, delivery);
}

/** Asks the history how a run stands; `otherwise` is its end when the history does not know. */
async function settle(
  turn: Turn,
  connection: GatewayConnection,
  otherwise: EndEvent,
  delivery: Delivery,
): Promise<void> {
  const found = await standing(connection, turn.run);
  if (turn.over) return;
  switch (found.state) {
    case "active":
      if (found.text) turn.log.setText(found.text);
      return;
    case "behind":
      turn.behind = true;
      return;
    case "answered":
      turn.files ||= found.files;
      if (found.cancelled) delivery.end(turn, outcome.cancelled(found.text));
      else await finish(turn, found.text, delivery, connection);
      return;
    case "unknown":
      delivery.end(turn, otherwise);
  }
}

/** Only an answer that was complete before the restart counts: what the bot does after it is not this run. */
async function settleRestarted(turn: Turn, connection: GatewayConnection, delivery: Delivery): Promise<void> {
  const found = await standing(connection, turn.run);
  if (turn.over) return;
  if (found.state === "answered" && found.own) await finish(turn, found.text, delivery, connection);
  else delivery.end(turn, outcome.failed(turn.log.text, outcome.gatewayRestarted()));
}

async function finish(turn: Turn, text: string, delivery: Delivery, connection = delivery.link.current): Promise<void> {
  if (turn.over) return;
  turn.ending = true;
  if (turn.files && connection) await collectFiles(turn, delivery.access(), connection, delivery.limits);
  // The gateway trims the last text; that is no reason to send all of it again.
  if (turn.log.text.trim() !== text.trim()) turn.log.setText(text);
  delivery.end(turn, outcome.done(text));
}
