import { useQuery } from "@tanstack/react-query";
import { approveDevice, type Device, devices, rejectDevice, removeDevice } from "../api/devices.ts";
import { Action } from "../parts/action.tsx";
import { WhileReady } from "../parts/awake.tsx";
import { Item, Items, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Panel } from "../parts/panel.tsx";
import { Empty, Shown } from "../parts/shown.tsx";

const TOUCHES = [devices.queryKey];

/** Who is let in to the gateway itself: browsers with its Control UI, phones, this Worker. */
export function Devices() {
  return (
    <WhileReady what="Its devices">
      <Lists />
    </WhileReady>
  );
}

function Lists() {
  const query = useQuery(devices);
  return (
    <Shown query={query}>
      {({ pending, paired }) => (
        <>
          <Panel title="Waiting to be let in">
            {pending.length === 0 ? (
              <Empty>No device is waiting. One that connects for the first time shows up here.</Empty>
            ) : (
              <Items label="Waiting devices">
                {pending.map((device) => (
                  <Item
                    key={device.requestId}
                    title={nameOf(device)}
                    actions={
                      <>
                        <Action
                          label="Approve"
                          name={`Approve ${nameOf(device)}`}
                          icon="check"
                          tone="main"
                          question={{
                            title: `Let ${nameOf(device)} in?`,
                            text: `It may then do this with your Moltbot: ${mayDo(device)}. Only do so when the device is yours.`,
                            verb: "Let it in",
                          }}
                          run={() => approveDevice(device.requestId)}
                          done={`${nameOf(device)} is let in.`}
                          touches={TOUCHES}
                        />
                        <Action
                          label="Reject"
                          name={`Reject ${nameOf(device)}`}
                          run={() => rejectDevice(device.requestId)}
                          done={`${nameOf(device)} stays out.`}
                          touches={TOUCHES}
                        />
                      </>
                    }
                  >
                    <About device={device} />
                    {device.requestedAt && (
                      <Line>
                        asked <Moment at={device.requestedAt} />
                      </Line>
                    )}
                  </Item>
                ))}
              </Items>
            )}
          </Panel>
          <Panel title="Let in">
            {paired.length === 0 ? (
              <Empty>No device has been let in yet.</Empty>
            ) : (
              <Items label="Devices that are let in">
                {paired.map((device) => (
                  <Item
                    key={device.deviceId}
                    title={nameOf(device)}
                    actions={
                      <Action
                        label="Remove"
                        name={`Remove ${nameOf(device)}`}
                        icon="remove"
                        tone="danger"
                        question={{
                          title: `Remove ${nameOf(device)}?`,
                          text: "It is out at once, and has to be let in again to come back.",
                          verb: "Remove",
                        }}
                        run={() => removeDevice(device.deviceId)}
                        done={`${nameOf(device)} is removed.`}
                        touches={TOUCHES}
                      />
                    }
                  >
                    <About device={device} />
                    <Line>
                      {device.pairedAt && (
                        <span>
                          let in <Moment at={device.pairedAt} />
                        </span>
                      )}
                      {device.lastSeenAt && (
                        <span>
                          last seen <Moment at={device.lastSeenAt} />
                        </span>
                      )}
                    </Line>
                  </Item>
                ))}
              </Items>
            )}
          </Panel>
        </>
      )}
    </Shown>
  );
}

function About({ device }: { device: Device }) {
  return (
    <Line>
      {device.platform !== undefined && <span>{device.platform}</span>}
      <span>may: {mayDo(device)}</span>
      <code>{device.deviceId.slice(0, 12)}</code>
    </Line>
  );
}

function nameOf({ name, deviceId }: Device): string {
  return name ?? deviceId.slice(0, 12);
}

function mayDo({ role = "device", scopes }: Device): string {
  return scopes.length === 0 ? role : `${role} (${scopes.map((scope) => scope.replace(/^operator\./, "")).join(", ")})`;
}
