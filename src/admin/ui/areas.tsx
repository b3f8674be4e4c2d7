import type { ComponentType } from "react";
import type { Me } from "./api/me.ts";
import { Browser } from "./areas/browser.tsx";
import { Clients } from "./areas/clients.tsx";
import { Devices } from "./areas/devices.tsx";
import { Files } from "./areas/files.tsx";
import { Generations } from "./areas/generations.tsx";
import { Jobs } from "./areas/jobs.tsx";
import { Journal } from "./areas/journal.tsx";
import { Log } from "./areas/log.tsx";
import { Overview } from "./areas/overview.tsx";
import { Pairings } from "./areas/pairings.tsx";
import { Terminal } from "./areas/terminal.tsx";
import { Usage } from "./areas/usage.tsx";
import type { IconName } from "./parts/icon.tsx";

export interface Area {
  /** Behind "#/" in the address; the first area has none. */
  path: string;
  title: string;
  icon: IconName;
  /** Under which heading of the menu it stands. */
  group: "Bot" | "Access" | "Records";
  Content: ComponentType;
  /** Who finds it in the menu; left out: everybody. */
  isFor?: (who: Me) => boolean;
}

/** In the order of the menu. */
export const AREAS: readonly [Area, ...Area[]] = [
  { path: "", title: "Overview", icon: "overview", group: "Bot", Content: Overview },
  { path: "generations", title: "Generations", icon: "memory", group: "Bot", Content: Generations },
  { path: "files", title: "Files", icon: "files", group: "Bot", Content: Files },
  { path: "jobs", title: "Jobs", icon: "jobs", group: "Bot", Content: Jobs },
  { path: "browser", title: "Browser", icon: "browser", group: "Bot", Content: Browser },
  {
    path: "terminal",
    title: "Terminal",
    icon: "terminal",
    group: "Bot",
    Content: Terminal,
    isFor: ({ terminal }) => terminal,
  },
  { path: "clients", title: "MCP clients", icon: "clients", group: "Access", Content: Clients },
  { path: "devices", title: "Devices", icon: "devices", group: "Access", Content: Devices },
  { path: "pairings", title: "Chat services", icon: "pairings", group: "Access", Content: Pairings },
  { path: "journal", title: "Journal", icon: "journal", group: "Records", Content: Journal },
  { path: "log", title: "Log", icon: "log", group: "Records", Content: Log },
  { path: "usage", title: "Usage and cost", icon: "usage", group: "Records", Content: Usage },
];
