import { useQuery } from "@tanstack/react-query";
import { MOVING, type Phase, status } from "../api/bot.ts";

const WORDS: Record<Phase, string> = {
  asleep: "Asleep",
  restoring: "Putting its memory back",
  starting: "Starting",
  ready: "Ready",
  unresponsive: "Not answering",
  draining: "Going to sleep",
  failed: "Failed",
};

/** As a word and not by its colour alone. */
export function phaseName(phase: Phase): string {
  return WORDS[phase];
}

/** The bot's phase, kept up to date. */
export function PhaseBadge() {
  const { data } = useQuery(status);
  if (!data) return null;
  return <PhaseDot phase={data.gateway.phase} />;
}

export function PhaseDot({ phase }: { phase: Phase }) {
  return (
    <span className={`phase ${phase} ${MOVING.includes(phase) ? "moving" : ""}`} role="status">
      {WORDS[phase]}
    </span>
  );
}
