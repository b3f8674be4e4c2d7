/** Lines on a grid of 24, drawn for this page. */
const PATHS = {
  overview: "M4 12a8 8 0 1 1 16 0M12 12l4-3M4 18h16",
  clients: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM3 19c0-3 2-5 5-5s5 2 5 5M16 6l2 2 3-4M16 13h5M16 17h5",
  journal: "M6 4h12v16H6zM9 8h6M9 12h6M9 16h4",
  memory: "M5 7c0-4 14-4 14 0v10c0 4-14 4-14 0zM5 7c0 4 14 4 14 0M5 12c0 4 14 4 14 0",
  log: "M4 5h16v14H4zM7 9l3 3-3 3M12 15h5",
  usage: "M4 20h16M7 20v-6M12 20V5M17 20v-9",
  devices: "M4 5h12v9H4zM8 18h4M10 14v4M18 9h3v10h-5v-2",
  pairings: "M4 5h16v11h-9l-4 4v-4H4zM9 9h6M9 12h4",
  jobs: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 8v4l3 2",
  files: "M4 6h6l2 2h8v11H4z",
  browser: "M3 5h18v14H3zM3 9h18M6 7h.01M9 7h.01",
  terminal: "M5 8l4 4-4 4M12 16h7",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  start: "M8 5l11 7-11 7z",
  sleep: "M19 14A8 8 0 0 1 10 5a7 7 0 1 0 9 9Z",
  restart: "M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5",
  download: "M12 4v11M8 11l4 4 4-4M5 20h14",
  remove: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  check: "M5 12l5 5 9-10",
  pause: "M8 5v14M16 5v14",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v2M12 19v2M3 12h2M19 12h2M6 6l1 1M17 17l1 1M6 18l1-1M17 7l1-1",
  dark: "M19 14A8 8 0 0 1 10 5a7 7 0 1 0 9 9Z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  busy: "M12 4a8 8 0 1 0 8 8",
} as const;

export type IconName = keyof typeof PATHS;

/** Beside words that say the same, so it is hidden from those who listen. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon ${name === "busy" ? "turning" : ""}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
