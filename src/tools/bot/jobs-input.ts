import { z } from "zod";
import { conversationName, DEFAULT_CONVERSATION } from "../../chat/conversation.ts";
import type { JobSchedule } from "../../gateway/jobs.ts";

/** A year: the gateway takes more, but whoever means that means a date. */
const MOST_MINUTES = 525_600;

const WHEN = ["at", "every_minutes", "cron"] as const;

/** The arguments each action has to be given, and those it may be given. */
const TAKES = {
  list: { needs: [], may: [] },
  add: { needs: ["name", "message"], may: ["conversation", "timezone", ...WHEN] },
  run: { needs: ["id"], may: [] },
  pause: { needs: ["id"], may: [] },
  resume: { needs: ["id"], may: [] },
  remove: { needs: ["id"], may: [] },
} as const satisfies Record<string, { needs: readonly string[]; may: readonly string[] }>;

export const jobsInput = z
  .strictObject({
    action: z.enum(["list", "add", "run", "pause", "resume", "remove"]),
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be an id that list shows")
      .optional()
      .describe("The job, as list names it: for run, pause, resume and remove."),
    name: oneLine(100).optional().describe("add: what people call it."),
    message: z
      .string()
      .max(10_000, "must be at most 10000 characters: write a file with file_write and name it in the message")
      .refine((text) => text.trim() !== "", "must not be empty")
      .optional()
      .describe("add: what the Moltbot is told each time."),
    conversation: conversationName
      .optional()
      .describe(`add: the conversation of yours that the answers go into; default "${DEFAULT_CONVERSATION}".`),
    at: z.iso
      .datetime({
        offset: true,
        error: "must be ISO 8601 with seconds and a time zone, such as 2026-12-01T08:00:00+01:00",
      })
      .optional()
      .describe("add: once, at this moment: ISO 8601 with a time zone, such as 2026-12-01T08:00:00+01:00."),
    every_minutes: z.int().min(1).max(MOST_MINUTES).optional().describe("add: again and again, so many minutes apart."),
    cron: z
      .string()
      .max(200)
      .regex(/^[^\s]+( +[^\s]+){4}$/, "must have five fields (minute hour day month weekday), such as 0 8 * * 1-5")
      .optional()
      .describe("add: five fields (minute hour day month weekday), such as 0 8 * * 1-5."),
    timezone: z
      .string()
      .max(64)
      .refine(isTimezone, "must be an IANA time zone, such as Europe/Vienna")
      .optional()
      .describe("add: the time zone of cron, such as Europe/Vienna; default UTC."),
  })
  .superRefine((input, context) => {
    const { needs, may }: { needs: readonly string[]; may: readonly string[] } = TAKES[input.action];
    const given = Object.entries(input).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    const fault = (message: string, path: string[] = []) => context.addIssue({ code: "custom", message, path });
    for (const name of given) {
      if (name !== "action" && !needs.includes(name) && !may.includes(name)) {
        fault(`is not taken by ${input.action}`, [name]);
      }
    }
    for (const name of needs) if (!given.includes(name)) fault(`is missing: ${input.action} needs it`, [name]);
    if (input.action !== "add") return;
    const said = WHEN.filter((name) => given.includes(name));
    if (said.length !== 1) fault(`must say when by exactly one of ${WHEN.join(", ")}`);
    if (given.includes("timezone") && input.cron === undefined) fault("belongs to cron", ["timezone"]);
  });
export type JobsInput = z.output<typeof jobsInput>;

/** Of an input that was taken for "add". */
export function scheduleOf({ at, every_minutes: everyMinutes, cron = "", timezone }: JobsInput): JobSchedule {
  if (at !== undefined) return { at };
  if (everyMinutes !== undefined) return { everyMinutes };
  return { cron, ...(timezone === undefined ? {} : { timezone }) };
}

function oneLine(most: number) {
  return z
    .string()
    .max(most)
    .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, "must be one line of text");
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
