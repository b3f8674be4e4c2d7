import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { me } from "./api/me.ts";
import { AREAS } from "./areas.tsx";
import { useHash } from "./location.ts";
import { Menu, MenuButton } from "./menu.tsx";
import { Icon } from "./parts/icon.tsx";
import { PhaseBadge } from "./parts/phase.tsx";
import { useTheme } from "./theme.ts";

/** What is around every area: the bar with the bot's phase, and the menu. */
export function Shell() {
  const path = useHash();
  const area = AREAS.find((candidate) => candidate.path === path) ?? AREAS[0];
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(area);
  useEffect(() => {
    document.title = `${area.title} · Moltbot`;
    // Whoever goes on by keyboard or by ear begins with the new area; at the first one nothing has changed yet.
    if (shown.current !== area) heading.current?.focus();
    shown.current = area;
  }, [area]);
  return (
    <div className="shell">
      <button type="button" className="button skip" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <header className="bar">
        <MenuButton current={area} />
        <span className="brand">
          <Mark />
          Moltbot
        </span>
        <PhaseBadge />
        <span className="spacer" />
        <Who />
        <ThemeButton />
      </header>
      <nav className="side" aria-label="Areas">
        <Menu current={area} />
      </nav>
      <main>
        <h1 ref={heading} tabIndex={-1}>
          {area.title}
        </h1>
        <area.Content key={area.path} />
      </main>
    </div>
  );
}

function Who() {
  const { data } = useQuery(me);
  if (!data) return null;
  return <span className="who">{data.kind === "person" ? data.email : data.name}</span>;
}

function ThemeButton() {
  const [theme, turn] = useTheme();
  return (
    <button type="button" className="bare" onClick={turn} aria-label={`Colours: ${theme}`} title={`Colours: ${theme}`}>
      <Icon name={theme} />
    </button>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 22V10l8 8 8-8v12" />
    </svg>
  );
}
