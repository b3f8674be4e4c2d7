import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { type Entry, journal, type JournalFilter, KINDS } from "../api/journal.ts";
import { useClientNames } from "../parts/client-names.ts";
import { Choice, TextField } from "../parts/field.tsx";
import { Badge } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Pages } from "../parts/pages.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { count } from "../parts/words.ts";

const KIND_NAMES: Record<Entry["kind"], string> = {
  call: "Calls of clients",
  login: "Sign-ins",
  model: "Calls of models",
  admin: "Changes by people",
};

const ANYTHING: JournalFilter = { kind: "", action: "", outcome: "", client: "", principal: "" };

/** Who did what through the Worker, newest first; never the content of it. */
export function Journal() {
  const [filter, setFilter] = useState(ANYTHING);
  const query = useInfiniteQuery(journal(useDeferredValue(filter)));
  const names = useClientNames();
  const set = (name: keyof JournalFilter) => (value: string) => setFilter({ ...filter, [name]: value });
  const isFiltered = Object.values(filter).some((value) => value !== "");
  return (
    <>
      <form
        className="filters"
        role="search"
        aria-label="Filter the journal"
        onSubmit={(event) => event.preventDefault()}
      >
        <Choice
          label="Kind"
          value={filter.kind}
          change={set("kind")}
          choices={[["", "Everything"], ...KINDS.map((kind) => [kind, KIND_NAMES[kind]] as const)]}
        />
        <TextField label="What" value={filter.action} change={set("action")} placeholder="chat_send" />
        <TextField label="Ended with" value={filter.outcome} change={set("outcome")} placeholder="ok" />
        <TextField label="Client's id" value={filter.client} change={set("client")} />
        <TextField label="Person's id" value={filter.principal} change={set("principal")} />
        <div className="row">
          {isFiltered && (
            <button type="button" className="button" onClick={() => setFilter(ANYTHING)}>
              Show all
            </button>
          )}
          <button type="button" className="button" onClick={() => void query.refetch()}>
            Look again
          </button>
        </div>
      </form>
      <Pages
        query={query}
        rowsOf={(page) => page.entries}
        empty={
          isFiltered
            ? "Nothing in the journal is exactly so. Each field is compared as a whole."
            : "The journal is empty. Every call of a client, sign-in and change leaves a line here."
        }
      >
        {(rows) => <Table label="Journal" columns={columns(names, set)} rows={rows} keyOf={({ id }) => id} />}
      </Pages>
    </>
  );
}

function columns(
  names: (client: string) => string,
  set: (name: keyof JournalFilter) => (value: string) => void,
): readonly Column<Entry>[] {
  return [
    { title: "When", cell: ({ at }) => <Moment at={at} /> },
    {
      title: "What",
      cell: ({ action, kind }) => (
        <>
          <Only value={action} shown={action} set={set("action")} /> <span className="dim">{kind}</span>
        </>
      ),
    },
    {
      title: "Who",
      cell: ({ principal, client }) => (
        <>
          {client !== undefined && <Only value={client} shown={names(client)} set={set("client")} />}{" "}
          <Only value={principal} shown={principal.slice(0, 8)} set={set("principal")} />
        </>
      ),
    },
    { title: "Ended with", cell: ({ outcome }) => <Badge tone={outcome === "ok" ? "good" : "bad"}>{outcome}</Badge> },
    { title: "Took", isFigure: true, cell: ({ ms }) => `${count(ms)} ms` },
    {
      title: "More",
      cell: ({ detail = {}, digest }) => (
        <span className="dim">
          {Object.entries(detail)
            .map(([name, value]) => `${name} ${String(value)}`)
            .join(", ")}{" "}
          {digest !== undefined && <code title="Equal for calls with the same arguments">{digest}</code>}
        </span>
      ),
    },
  ];
}

/** A value that filters by itself. */
function Only({ value, shown, set }: { value: string; shown: string; set: (value: string) => void }) {
  return (
    <button type="button" className="plain" title={`Only ${value}`} onClick={() => set(value)}>
      {shown}
    </button>
  );
}
