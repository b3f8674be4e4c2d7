const BYTES = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** 1536 → "1.5 KiB". */
export function bytes(size: number): string {
  const power = Math.min(BYTES.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  const amount = size / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${BYTES[power]}`;
}

const number = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 12345 → "12,345". */
export function count(value: number): string {
  return number.format(value);
}

/** 12345 → "12.3K". */
export function compact(value: number): string {
  return short.format(value);
}

/** "1 chat", "2 chats". */
export function many(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? "" : "s"}`;
}

/** Dollars; what is less than a cent is said to be so. */
export function usd(value: number): string {
  if (value > 0 && value < 0.01) return "< $0.01";
  return `$${value.toFixed(2)}`;
}

/** 3.25 → "3.3 h". */
export function hours(value: number): string {
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} h`;
}

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

/** "3 minutes ago", "in 2 hours"; to the second only while it is fresh. */
export function ago(at: Date, now: number): string {
  const seconds = Math.round((at.getTime() - now) / 1000);
  const [unit, length] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  if (unit === "second" && Math.abs(seconds) < 5) return "just now";
  return relative.format(Math.round(seconds / length), unit);
}
