import { useQuery } from "@tanstack/react-query";
import { approvePairing, type Pairing, pairings, rejectPairing } from "../api/pairings.ts";
import { Action } from "../parts/action.tsx";
import { WhileReady } from "../parts/awake.tsx";
import { Badge, Item, Items, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Empty, Shown } from "../parts/shown.tsx";

const TOUCHES = [pairings.queryKey];

/** Who asks to write to the bot on a chat service. */
export function Pairings() {
  return (
    <WhileReady what="Those who ask">
      <List />
    </WhileReady>
  );
}

function List() {
  const query = useQuery(pairings);
  return (
    <Shown query={query}>
      {({ accounts, requests }) => (
        <>
          {accounts.length > 0 && (
            <p className="dim">
              Strangers have to ask on{" "}
              {accounts.map(({ channelName, account }) => `${channelName} (${account})`).join(", ")}.
            </p>
          )}
          {requests.length === 0 ? (
            <Empty>
              {accounts.length === 0
                ? "The Moltbot is on no chat service where strangers have to ask. Put in a service's token to bring it there."
                : "Nobody is asking. Whoever writes to the Moltbot for the first time shows up here."}
            </Empty>
          ) : (
            <Items label="Who asks">
              {requests.map((pairing) => (
                <OnePairing key={`${pairing.channel} ${pairing.account} ${pairing.requestId}`} pairing={pairing} />
              ))}
            </Items>
          )}
        </>
      )}
    </Shown>
  );
}

function OnePairing({ pairing }: { pairing: Pairing }) {
  const { channelName, account, sender, details, requestedAt, expiresAt } = pairing;
  return (
    <Item
      title={sender}
      badge={<Badge>{channelName}</Badge>}
      actions={
        <>
          <Action
            label="Approve"
            name={`Approve ${sender}`}
            icon="check"
            tone="main"
            question={{
              title: `Let ${sender} write to the Moltbot?`,
              text: `On ${channelName} it then answers them like you. What they say of themselves was chosen by them: make sure that you know the number or name.`,
              verb: "Let them in",
            }}
            run={() => approvePairing(pairing)}
            done={`${sender} may write to the Moltbot.`}
            touches={TOUCHES}
          />
          <Action
            label="Reject"
            name={`Reject ${sender}`}
            run={() => rejectPairing(pairing)}
            done={`${sender} is not let in; they may ask again.`}
            touches={TOUCHES}
          />
        </>
      }
    >
      <Line>
        <span>account {account}</span>
        {Object.entries(details).map(([name, value]) => (
          <span key={name}>
            {name}: {value}
          </span>
        ))}
      </Line>
      <Line>
        <span>
          asked <Moment at={requestedAt} />
        </span>
        <span>
          ends <Moment at={expiresAt} />
        </span>
      </Line>
    </Item>
  );
}
