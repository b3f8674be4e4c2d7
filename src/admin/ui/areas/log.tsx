import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import { log } from "../api/log.ts";
import { Check, Choice, TextField } from "../parts/field.tsx";
import { Badge } from "../parts/item.tsx";
import { Shown } from "../parts/shown.tsx";
import { many } from "../parts/words.ts";

const LENGTHS = [200, 500, 2000] as const;

/** The end of the gateway's log, as it grows. */
export function Log() {
  const [lines, setLines] = useState<number>(LENGTHS[0]);
  const [following, setFollowing] = useState(true);
  const [wanted, setWanted] = useState("");
  const query = useQuery(log(lines, following));
  return (
    <>
      <div className="filters">
        <Choice
          label="Lines"
          value={String(lines)}
          change={(value) => setLines(Number(value))}
          choices={LENGTHS.map((length) => [String(length), `the last ${length}`] as const)}
        />
        <TextField label="Only lines with" value={wanted} change={setWanted} />
        <Check label="Follow" checked={following} change={setFollowing} />
      </div>
      <Shown
        query={query}
        empty={{
          when: (shown) => shown.lines.length === 0,
          say: "There is no log yet: the gateway has not run in this container. Start the Moltbot on the overview.",
        }}
      >
        {(shown) => (
          <Text
            lines={shown.lines.filter((line) => line.toLowerCase().includes(wanted.toLowerCase()))}
            running={shown.running}
            following={following}
          />
        )}
      </Shown>
    </>
  );
}

function Text({ lines, running, following }: { lines: readonly string[]; running: boolean; following: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  const text = lines.join("\n");
  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text, following]);
  return (
    <>
      <p className="row dim">
        {running ? <Badge tone="good">Running</Badge> : <Badge>Of the last run</Badge>} {many(lines.length, "line")}
      </p>
      {/* It scrolls, so it can be gone to by keyboard. */}
      <pre ref={box} className="log" tabIndex={0} role="region" aria-label="The gateway's log">
        {text}
      </pre>
    </>
  );
}
