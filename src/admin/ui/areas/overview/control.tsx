import { type Phase, restartBot, sleepBot, startBot, type Status, status } from "../../api/bot.ts";
import { Action } from "../../parts/action.tsx";
import { Moment } from "../../parts/moment.tsx";
import { phaseName } from "../../parts/phase.tsx";
import { many } from "../../parts/words.ts";

const EXPLAINED: Record<Phase, string> = {
  asleep: "It costs nothing now, and wakes when somebody needs it.",
  restoring: "What it knew is put back before it begins.",
  starting: "The gateway is coming up.",
  ready: "It answers.",
  unresponsive: "Its process is there, but does not answer. A restart may help.",
  draining: "It ends what it does, and keeps its last changes.",
  failed: "It does not start. Restart it when the reason is gone.",
};

const TOUCHES = [status.queryKey, ["log"]];

/** The phase in words, and the buttons that change it. */
export function BotControl({ status: { gateway, chats } }: { status: Status }) {
  const { phase, since, step, reason } = gateway;
  const isUp = phase === "ready" || phase === "unresponsive" || phase === "starting" || phase === "restoring";
  const ends = chats.running > 0 ? `${many(chats.running, "chat")} in progress will end.` : "No chat is in progress.";
  return (
    <section className={`hero ${phase}`} aria-label="The bot">
      <div>
        <p className="hero-phase">
          {phaseName(phase)}
          {since && (
            <span className="dim">
              {" "}
              since <Moment at={since} />
            </span>
          )}
        </p>
        <p>{step ?? EXPLAINED[phase]}</p>
        {chats.running > 0 && <p>{many(chats.running, "chat")} in progress.</p>}
        {reason !== undefined && <pre className="reason">{reason}</pre>}
      </div>
      <div className="row">
        {!isUp && phase !== "failed" && (
          <Action
            label="Start"
            icon="start"
            tone="main"
            disabled={phase === "draining"}
            run={startBot}
            done="The Moltbot is starting."
            touches={TOUCHES}
          />
        )}
        {phase !== "asleep" && phase !== "draining" && (
          <Action
            label="Restart"
            icon="restart"
            {...(phase === "failed" ? { tone: "main" } : {})}
            {...(phase === "failed"
              ? {}
              : {
                  question: { title: "Restart the Moltbot?", text: `${ends} It is back in a moment.`, verb: "Restart" },
                })}
            run={restartBot}
            done="The Moltbot is restarting."
            touches={TOUCHES}
          />
        )}
        {isUp && (
          <Action
            label="Sleep"
            icon="sleep"
            question={{
              title: "Put the Moltbot to sleep?",
              text: `${ends} What it knows is kept, and it wakes when somebody needs it.`,
              verb: "Put to sleep",
            }}
            run={sleepBot}
            done="The Moltbot is asleep."
            touches={TOUCHES}
          />
        )}
      </div>
    </section>
  );
}
