import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { MOVING, startBot, status } from "../api/bot.ts";
import { Action } from "./action.tsx";
import { PhaseDot } from "./phase.tsx";
import { Shown } from "./shown.tsx";

/** What only the running gateway can tell. While it does not run, what to do about it. */
export function WhileReady({ what, children }: { what: string; children: ReactNode }) {
  const query = useQuery(status);
  return (
    <Shown query={query}>
      {({ gateway: { phase, step } }) => {
        if (phase === "ready") return children;
        const isMoving = MOVING.includes(phase);
        return (
          <div className="empty ask" role="group" aria-label="The bot is not ready">
            <p>
              <PhaseDot phase={phase} />
            </p>
            <p>{isMoving ? (step ?? "In a moment.") : `${what} are known to the gateway, which has to run for it.`}</p>
            {phase === "asleep" && (
              <Action
                label="Start the Moltbot"
                icon="start"
                tone="main"
                run={startBot}
                done="The Moltbot is starting."
                touches={[status.queryKey]}
              />
            )}
            {(phase === "failed" || phase === "unresponsive") && (
              <a className="button" href="#/">
                See why, and restart it
              </a>
            )}
          </div>
        );
      }}
    </Shown>
  );
}
