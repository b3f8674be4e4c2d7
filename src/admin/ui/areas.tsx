import type { ComponentType } from "react";
import { Overview } from "./areas/overview.tsx";
import type { IconName } from "./parts/icon.tsx";

export interface Area {
  /** Behind "#/" in the address; the first area has none. */
  path: string;
  title: string;
  icon: IconName;
  /** Under which heading of the menu it stands. */
  group: "Bot" | "Access" | "Records";
  Content: ComponentType;
}

/** In the order of the menu. */
export const AREAS: readonly [Area, ...Area[]] = [
  { path: "", title: "Overview", icon: "overview", group: "Bot", Content: Overview },
];
