import { useQuery } from "@tanstack/react-query";
import { type Grant, grants, revokeGrant } from "../api/grants.ts";
import { me } from "../api/me.ts";
import { Action } from "../parts/action.tsx";
import { Badge, Item, Items, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Empty, Shown } from "../parts/shown.tsx";

const TOUCHES = [grants.queryKey, me.queryKey];

/** What the person who looks has let MCP clients do. */
export function Clients() {
  const who = useQuery(me);
  return (
    <Shown query={who}>
      {(visitor) =>
        visitor.kind === "person" ? (
          <List email={visitor.email} />
        ) : (
          <Empty>A service token has no clients of its own.</Empty>
        )
      }
    </Shown>
  );
}

function List({ email }: { email: string }) {
  const query = useQuery(grants);
  const address = `${location.origin}/mcp`;
  return (
    <>
      <p className="dim">
        Clients that {email} let in. A new one connects to <code>{address}</code>.
      </p>
      <Shown
        query={query}
        empty={{
          when: (shown) => shown.grants.length === 0,
          say: (
            <>
              You have let no client in yet. Give one this address: <code>{address}</code>
            </>
          ),
        }}
      >
        {(shown) => (
          <Items label="MCP clients">
            {shown.grants.map((grant) => (
              <OneGrant key={grant.id} grant={grant} email={email} />
            ))}
          </Items>
        )}
      </Shown>
    </>
  );
}

function OneGrant({ grant, email }: { grant: Grant; email: string }) {
  const { id, client, clientId, redirect, scopes, created, expires, lastUsed } = grant;
  return (
    <Item
      title={client}
      badge={scopes.map((scope) => (
        <Badge key={scope} tone={scope === "exec" || scope === "control" ? "near" : ""}>
          {scope}
        </Badge>
      ))}
      actions={
        <Action
          label="Revoke"
          name={`Revoke ${client}`}
          icon="remove"
          tone="danger"
          question={{
            title: `Revoke ${client}?`,
            text: "Its tokens stop working at once. To come back it has to ask you again.",
            verb: "Revoke",
          }}
          run={() => revokeGrant(id)}
          done={`${client} is out.`}
          touches={TOUCHES}
        />
      }
    >
      <Line>
        <span>for {email}</span>
        <span>
          let in <Moment at={created} />
        </span>
        <span>
          {lastUsed ? (
            <>
              last used <Moment at={lastUsed} />
            </>
          ) : (
            "never used"
          )}
        </span>
        {expires && (
          <span>
            ends <Moment at={expires} />
          </span>
        )}
      </Line>
      <Line>
        {redirect !== undefined && <span>at {redirect}</span>}
        <code>{clientId}</code>
      </Line>
    </Item>
  );
}
