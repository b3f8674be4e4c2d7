import { useQuery } from "@tanstack/react-query";
import { type Status, status } from "../api/bot.ts";
import { Moment } from "../parts/moment.tsx";
import { Shown } from "../parts/shown.tsx";
import { Fact, Gauge, Tile } from "../parts/tile.tsx";
import { bytes, compact, count, hours, many, usd } from "../parts/words.ts";
import { BotControl } from "./overview/control.tsx";

/** How the bot is, and what starts and stops it. */
export function Overview() {
  const query = useQuery(status);
  return (
    <Shown query={query}>
      {(shown) => (
        <>
          <BotControl status={shown} />
          <div className="tiles">
            <Awake uptime={shown.uptime} starts={shown.gateway.starts} />
            <Today usage={shown.usage.total} model={shown.model} />
            <Kept memory={shown.memory} />
          </div>
        </>
      )}
    </Shown>
  );
}

function Awake({ uptime, starts }: { uptime: Status["uptime"]; starts: number }) {
  const { awakeHours, capHours, usd: cost, sleepAfter, month } = uptime;
  return (
    <Tile title={`Awake in ${month}`} value={hours(awakeHours)}>
      {capHours !== undefined && (
        <Gauge label="Of the month's hours" value={awakeHours} most={capHours} format={hours} />
      )}
      <Fact name="Container, estimated">{usd(cost)}</Fact>
      <Fact name="Sleeps">{sleepAfter === "never" ? "never by itself" : `after ${sleepAfter} without use`}</Fact>
      <Fact name="Started">
        {many(uptime.starts, "time")} this month, {count(starts)} in all
      </Fact>
    </Tile>
  );
}

function Today({ usage, model }: { usage: Status["usage"]["total"]; model: Status["model"] }) {
  const tokens = usage.input + usage.output;
  return (
    <Tile title="Models today" value={usd(usage.usd)}>
      {model.dailyUsd !== undefined && (
        <Gauge label="Of today's budget" value={usage.usd} most={model.dailyUsd} format={usd} />
      )}
      {model.dailyTokens !== undefined && (
        <Gauge label="Of today's tokens" value={tokens} most={model.dailyTokens} format={compact} />
      )}
      <Fact name="Calls">
        {count(usage.calls)}
        {usage.failed > 0 && `, ${count(usage.failed)} failed`}
      </Fact>
      <Fact name="Tokens">
        {compact(usage.input)} in, {compact(usage.output)} out
      </Fact>
      <Fact name="Asks">{model.names.join(", then ")}</Fact>
    </Tile>
  );
}

function Kept({ memory }: { memory: Status["memory"] }) {
  const { head, lagMs, generations, storedBytes, nextPrune, problem, skipped } = memory;
  return (
    <Tile title="Memory" value={head ? many(head.files, "file") : "Nothing yet"}>
      {problem !== null && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      <Fact name="Last kept">{head ? <Moment at={head.at} /> : "never"}</Fact>
      {lagMs !== null && <Fact name="Lag">{(lagMs / 1000).toFixed(1)} s</Fact>}
      <Fact name="Generations">{count(generations)}</Fact>
      <Fact name="Stored">{bytes(storedBytes)}</Fact>
      {nextPrune !== null && (
        <Fact name="Next prune">
          <Moment at={nextPrune} />
        </Fact>
      )}
      {skipped.length > 0 && <Fact name="Not kept">{many(skipped.length, "file")}</Fact>}
    </Tile>
  );
}
