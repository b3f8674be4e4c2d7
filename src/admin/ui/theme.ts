import { useState } from "react";

const KEY = "moltbot.theme";

/** "system" follows the machine. */
export type Theme = "system" | "light" | "dark";

const ORDER: readonly Theme[] = ["system", "light", "dark"];

/** Before anything is drawn, so that nothing flashes. */
export function applyTheme(theme: Theme = keptTheme()): void {
  document.documentElement.dataset.theme = theme;
}

/** The theme and what goes to the next one. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(keptTheme);
  const next = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
  const turn = () => {
    localStorage.setItem(KEY, next);
    applyTheme(next);
    setTheme(next);
  };
  return [theme, turn];
}

function keptTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === kept) ?? "system";
}
