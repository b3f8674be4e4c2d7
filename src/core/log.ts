import { redact } from "./redact.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Record<string, unknown>;

/** One JSON line per operation: what, who, outcome, ms. Everything passes through redaction. */
export function log(level: LogLevel, operation: string, fields: LogFields = {}): void {
  const line = redact(JSON.stringify({ level, operation, ...fields }, plain));
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const own = { name: value.name, message: value.message, stack: value.stack?.split("\n").slice(1, 5).join("\n") };
  return value.cause === undefined ? own : { ...own, cause: value.cause };
}
