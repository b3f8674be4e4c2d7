import type { UsageSummary } from "../../api/usage.ts";
import { compact, many, usd } from "../../parts/words.ts";

/** A bar for each day that has a call, as long as its tokens are many. */
export function Days({ days }: { days: UsageSummary["days"] }) {
  const most = Math.max(1, ...days.map(({ input, output }) => input + output));
  return (
    <ul className="bars" aria-label="By day">
      {days.map(({ day, input, output, calls, usd: cost }) => (
        <li key={day}>
          <span>{day}</span>
          <meter className="bar-meter" min={0} max={most} value={input + output} aria-label={`Tokens on ${day}`} />
          <span className="number">
            {compact(input + output)} tokens, {many(calls, "call")}, {usd(cost)}
          </span>
        </li>
      ))}
    </ul>
  );
}
