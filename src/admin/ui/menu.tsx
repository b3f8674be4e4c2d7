import { Dialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { me } from "./api/me.ts";
import { type Area, AREAS } from "./areas.tsx";
import { Icon } from "./parts/icon.tsx";

const GROUPS = [...new Set(AREAS.map(({ group }) => group))];

/** The areas that are for whoever looks, by group. */
export function Menu({ current, chosen }: { current: Area; chosen?: () => void }) {
  const { data: who } = useQuery(me);
  const offered = AREAS.filter(({ isFor }) => !isFor || (who && isFor(who)));
  return (
    <div className="menu">
      {GROUPS.map((group) => (
        <section key={group} aria-label={group}>
          <p className="menu-group">{group}</p>
          <ul>
            {offered
              .filter((area) => area.group === group)
              .map((area) => (
                <li key={area.path}>
                  <a href={`#/${area.path}`} aria-current={area === current ? "page" : undefined} onClick={chosen}>
                    <Icon name={area.icon} />
                    {area.title}
                  </a>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** The menu of a narrow screen, which has no room for it at the side. */
export function MenuButton({ current }: { current: Area }) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="bare narrow-only" aria-label="Menu">
        <Icon name="menu" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="drawer" aria-label="Areas">
          <Dialog.Close className="bare" aria-label="Close the menu">
            <Icon name="close" />
          </Dialog.Close>
          <Menu current={current} chosen={() => setOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
