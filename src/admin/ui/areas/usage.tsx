import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { usage, type UsageSummary, type UsageTotal } from "../api/usage.ts";
import { useClientNames } from "../parts/client-names.ts";
import { Choice } from "../parts/field.tsx";
import { Panel } from "../parts/panel.tsx";
import { Empty, Shown } from "../parts/shown.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { Fact, Tile } from "../parts/tile.tsx";
import { compact, count, usd } from "../parts/words.ts";
import { Days } from "./usage/days.tsx";

const SPANS = [
  ["1", "today"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["400", "all that is kept"],
] as const;

/** What models cost, and for whom. Days are those of UTC. */
export function Usage() {
  const [days, setDays] = useState("30");
  const query = useQuery(usage(Number(days)));
  return (
    <>
      <div className="filters">
        <Choice label="Time" value={days} change={setDays} choices={SPANS} />
      </div>
      <Shown query={query}>{(shown) => <Summary usage={shown} />}</Shown>
    </>
  );
}

function Summary({ usage: { from, to, total, days, models, clients, conversations } }: { usage: UsageSummary }) {
  const nameOf = useClientNames();
  if (total.calls === 0)
    return (
      <Empty>
        No model was asked between {from} and {to}. Each message of a chat asks one.
      </Empty>
    );
  return (
    <>
      <div className="tiles">
        <Tile title="Cost, estimated" value={usd(total.usd)}>
          {total.unpriced > 0 && <Fact name="Calls without a known price">{count(total.unpriced)}</Fact>}
          <Fact name="From">{from}</Fact>
          <Fact name="To">{to}</Fact>
        </Tile>
        <Tile title="Tokens" value={compact(total.input + total.output)}>
          <Fact name="In">{compact(total.input)}</Fact>
          <Fact name="Of it out of a cache">{compact(total.cached)}</Fact>
          <Fact name="Out">{compact(total.output)}</Fact>
        </Tile>
        <Tile title="Calls" value={count(total.calls)}>
          <Fact name="Failed">{count(total.failed)}</Fact>
          <Fact name="To the first word">{count(Math.round(total.firstWordMs))} ms</Fact>
          <Fact name="To the end">{count(Math.round(total.ms))} ms</Fact>
        </Tile>
      </div>
      <Panel title="By day">
        <Days days={days} />
      </Panel>
      <Panel title="By model">
        <Table
          label="By model"
          columns={[{ title: "Model", cell: ({ model }) => model }, ...FIGURES]}
          rows={models}
          keyOf={({ model }) => model}
        />
      </Panel>
      <Panel title="By client">
        <Table
          label="By client"
          columns={[{ title: "Client", cell: ({ client }) => nameOf(client) }, ...FIGURES]}
          rows={clients}
          keyOf={({ client }) => client}
        />
      </Panel>
      <Panel title="By conversation">
        <Table
          label="By conversation"
          columns={[
            { title: "Conversation", cell: ({ conversation }) => conversation },
            { title: "Person", cell: ({ principal }) => <code>{principal.slice(0, 8)}</code> },
            ...FIGURES,
          ]}
          rows={conversations}
          keyOf={({ principal, conversation }) => `${principal} ${conversation}`}
        />
      </Panel>
    </>
  );
}

const FIGURES: readonly Column<UsageTotal>[] = [
  { title: "Calls", isFigure: true, cell: ({ calls }) => count(calls) },
  { title: "Failed", isFigure: true, cell: ({ failed }) => count(failed) },
  { title: "In", isFigure: true, cell: ({ input }) => compact(input) },
  { title: "Out", isFigure: true, cell: ({ output }) => compact(output) },
  { title: "Cost", isFigure: true, cell: ({ usd: cost }) => usd(cost) },
];
