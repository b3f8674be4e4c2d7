import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { me } from "../api/me.ts";
import { Icon } from "../parts/icon.tsx";
import { Empty, Loading, Shown } from "../parts/shown.tsx";

/** By itself: nobody else has to load what draws a terminal. */
const Screen = lazy(async () => ({ default: (await import("./terminal/screen.tsx")).Screen }));

/** A shell in the bot's container, for people who let a client run commands there. */
export function Terminal() {
  const query = useQuery(me);
  return (
    <Shown
      query={query}
      empty={{
        when: ({ terminal }) => !terminal,
        say: "The terminal is for people who let an MCP client run commands (exec). Let one in, and load the page again.",
      }}
    >
      {() => <Session />}
    </Shown>
  );
}

type State = { is: "closed"; why?: string } | { is: "open" };

function Session() {
  const [state, setState] = useState<State>({ is: "closed" });
  if (state.is === "open") {
    return (
      <Suspense fallback={<Loading />}>
        <Screen ended={(why) => setState({ is: "closed", why })} />
      </Suspense>
    );
  }
  return (
    <>
      {state.why !== undefined && (
        <p className="notice" role="status">
          {state.why}
        </p>
      )}
      <Empty>
        A shell in the Moltbot's container, with the Moltbot's own files. It wakes the container, and keeps it awake
        while you use it.
      </Empty>
      <div className="row">
        <button
          // Whoever was at the terminal by keyboard goes on here.
          ref={(button) => {
            if (state.why !== undefined) button?.focus();
          }}
          type="button"
          className="button main"
          onClick={() => setState({ is: "open" })}
        >
          <Icon name="terminal" />
          Open a terminal
        </button>
      </div>
    </>
  );
}
