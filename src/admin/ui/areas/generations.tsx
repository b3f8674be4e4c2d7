import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { status } from "../api/bot.ts";
import { archiveOf, type Generation, generations, type MemoryStatus, restoreGeneration } from "../api/memory.ts";
import { Action } from "../parts/action.tsx";
import { Icon } from "../parts/icon.tsx";
import { Badge, Item, Items, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Shown } from "../parts/shown.tsx";
import { bytes, count, many } from "../parts/words.ts";

const TOUCHES = [generations.queryKey, status.queryKey];

/** A busy hour has hundreds. */
const SHOWN_AT_ONCE = 30;

/** What the bot knew at each moment that is kept. */
export function Generations() {
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const query = useQuery(generations);
  return (
    <Shown
      query={query}
      empty={{
        when: (shown) => shown.generations.length === 0,
        say: "Nothing is kept yet. The first generation comes within seconds of the Moltbot's first start.",
      }}
    >
      {(shown) => (
        <>
          <Kept memory={shown.memory} />
          <Items label="Generations">
            {shown.generations.slice(0, most).map((each) => (
              <OneGeneration key={each.id} generation={each} isHead={each.id === shown.memory.head?.id} />
            ))}
          </Items>
          {shown.generations.length > most && (
            <div className="row">
              <button type="button" className="button" onClick={() => setMost(most + SHOWN_AT_ONCE)}>
                Show more
              </button>
              <span className="dim">
                {most} of {count(shown.generations.length)}
              </span>
            </div>
          )}
        </>
      )}
    </Shown>
  );
}

function Kept({ memory: { storedBytes, nextPrune, problem } }: { memory: MemoryStatus }) {
  return (
    <>
      {problem !== null && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      <Line>
        <span>{bytes(storedBytes)} stored in all</span>
        {nextPrune && (
          <span>
            old ones are thinned out <Moment at={nextPrune} />
          </span>
        )}
      </Line>
    </>
  );
}

function OneGeneration({ generation, isHead }: { generation: Generation; isHead: boolean }) {
  const { id, at, reason, files, bytes: size } = generation;
  return (
    <Item
      title={
        <>
          <Moment at={at} /> <span className="mono dim">{id}</span>
        </>
      }
      badge={isHead && <Badge tone="good">Present</Badge>}
      actions={
        <>
          <a className="button" href={archiveOf(id)} download aria-label={`Export ${id}`}>
            <Icon name="download" />
            Export
          </a>
          {!isHead && (
            <Action
              label="Restore"
              name={`Restore ${id}`}
              icon="restart"
              question={{
                title: `Put generation ${id} back?`,
                text: `The Moltbot then knows what it knew at ${at.toLocaleString()}. Chats in progress end. What it knows now stays a generation, which you can put back in the same way.`,
                verb: "Put it back",
              }}
              run={() => restoreGeneration(id)}
              done={`Generation ${id} is the present one again.`}
              touches={TOUCHES}
            />
          )}
        </>
      }
    >
      <Line>
        <span>{many(files, "file")}</span>
        <span>{bytes(size)}</span>
        <span>{reason}</span>
      </Line>
    </Item>
  );
}
