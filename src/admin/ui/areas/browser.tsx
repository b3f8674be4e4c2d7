import { useQuery } from "@tanstack/react-query";
import { browser, closeBrowser, type Tab } from "../api/browser.ts";
import { Action } from "../parts/action.tsx";
import { Badge, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Panel } from "../parts/panel.tsx";
import { Empty, Shown } from "../parts/shown.tsx";
import { LivePicture } from "./browser/live.tsx";

/** The browser that the person's clients use, as it moves, and a look at the bot's own. */
export function Browser() {
  const query = useQuery(browser);
  return (
    <Shown query={query}>
      {({ mine, bot }) => (
        <>
          <Panel title="Yours">
            {mine.open ? (
              <>
                <Line>
                  {mine.started && (
                    <span>
                      opened <Moment at={mine.started} />
                    </span>
                  )}
                  {mine.idle_closes_in_s !== undefined && (
                    <span>closes after {mine.idle_closes_in_s} s without use</span>
                  )}
                </Line>
                <LivePicture title={mine.tabs.find(({ active }) => active)?.title ?? ""} />
                <Tabs tabs={mine.tabs} />
                <div className="row">
                  <Action
                    label="Close it"
                    icon="close"
                    question={{
                      title: "Close the browser?",
                      text: "Its pages are gone, and what is typed into them. A client opens a new one when it needs it.",
                      verb: "Close it",
                    }}
                    run={closeBrowser}
                    done="The browser is closed."
                    touches={[browser.queryKey]}
                  />
                </div>
              </>
            ) : (
              <Empty>You have no browser open. A client opens it for you, with browser_navigate.</Empty>
            )}
          </Panel>
          <Panel title="The Moltbot's own">
            {bot.open ? (
              <>
                {bot.picture && (
                  <figure className="picture">
                    <img
                      src={`data:${bot.picture.mimeType};base64,${bot.picture.data}`}
                      width={bot.picture.width}
                      height={bot.picture.height}
                      alt="The Moltbot's first page"
                    />
                  </figure>
                )}
                <Tabs tabs={bot.tabs} />
              </>
            ) : (
              <Empty>The Moltbot has no browser open.</Empty>
            )}
          </Panel>
        </>
      )}
    </Shown>
  );
}

function Tabs({ tabs }: { tabs: readonly Tab[] }) {
  return (
    <ul className="tabs" aria-label="Tabs">
      {tabs.map(({ tab, title, url, active }) => (
        <li key={tab}>
          <span>{title === "" ? "Without a title" : title}</span> {active && <Badge tone="good">In front</Badge>}
          <br />
          <span className="dim">{url}</span>
        </li>
      ))}
    </ul>
  );
}
