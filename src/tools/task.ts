import type { Ask } from "./ask.ts";
import type { Call, ToolAnswer } from "./tool.ts";

/** Work that goes on after the call that began it, as a client that follows tasks sees it. */
export interface TaskState<Output> {
  /** Opaque, and found again by `Tasks.pattern`. */
  id: string;
  status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  message?: string;
  /** ISO 8601. */
  created: string;
  /** ISO 8601. */
  updated: string;
  /** How long from its creation it can be asked for. Milliseconds; null when nobody knows. */
  keptMs: number | null;
  /** Milliseconds. */
  pollMs: number;
  /** With `input_required`: what the client is to ask. A key is never used for another question. */
  ask?: Record<string, Ask>;
  /** With `completed`: what the call would have answered, also when that was a failure of what it ran. */
  answer?: ToolAnswer<Output>;
  /** With `failed`: the protocol's error that the call would have been. */
  error?: { code: number; message: string };
}

/** How a tool's tasks are followed. Each function decides by itself whether this person may. */
export interface Tasks<Services, Output> {
  /** Which ids are this tool's. */
  pattern: RegExp;
  get: (id: string, services: Services, call: Call) => Promise<TaskState<Output>>;
  cancel: (id: string, services: Services, call: Call) => Promise<void>;
  /** Takes answers to what `get` asked; unknown keys are ignored. Left out, the tool's tasks never ask. */
  update?: (id: string, answers: Record<string, unknown>, services: Services, call: Call) => Promise<void>;
}
