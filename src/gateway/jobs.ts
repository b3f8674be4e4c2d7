import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { type WireError, wireTime } from "./protocol.ts";
import { callGateway, type GatewayPost } from "./rpc.ts";

/** Times are ISO 8601. */
export interface Job {
  id: string;
  name: string;
  /** In words. */
  schedule: string;
  /** False: paused, or done. */
  enabled: boolean;
  nextRunAt?: string;
  lastRunAt?: string;
  lastStatus?: "ok" | "error" | "skipped";
  lastError?: string;
  running: boolean;
  /** The gateway's key of the conversation it belongs to. */
  session?: string;
  /** What the bot is told when it runs. */
  message?: string;
}

export type JobSchedule =
  /** Once. ISO 8601 with a time zone. */
  | { at: string }
  | { everyMinutes: number }
  /** Five fields; an IANA zone, else UTC. */
  | { cron: string; timezone?: string };

export interface NewJob {
  name: string;
  schedule: JobSchedule;
  message: string;
  /** The gateway's key of the conversation that the answer is put into. */
  session: string;
}

/** What the gateway does by the clock, while it is awake. Calls throw Failures. */
export interface GatewayJobs {
  list(): Promise<Job[]>;
  add(job: NewJob): Promise<Job>;
  /** Now, beside its schedule; begins within some seconds. */
  run(id: string): Promise<Job>;
  setEnabled(id: string, enabled: boolean): Promise<Job>;
  remove(id: string): Promise<void>;
}

const SCHEDULES =
  "Once: a moment to come within ten years, such as 2027-01-01T08:00:00Z. Cron: five fields (minute hour day month weekday), such as 0 8 * * 1-5, with an IANA time zone such as Europe/Vienna.";

const PAGE = 200;
/** Jobs the gateway keeps for itself, switched off by our configuration. */
const OWN = /^(heartbeat|skill-collection-review):/;

const scheduleSchema = z.union([
  z.object({ kind: z.literal("at"), at: z.string() }),
  z.object({ kind: z.literal("every"), everyMs: z.number() }),
  z.object({ kind: z.literal("cron"), expr: z.string(), tz: z.string().optional() }),
  z.object({ kind: z.string() }),
]);
const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string().optional(),
  declarationKey: z.string().optional(),
  enabled: z.boolean(),
  schedule: scheduleSchema,
  sessionKey: z.string().optional(),
  payload: z.object({ message: z.string().optional() }),
  state: z
    .object({
      nextRunAtMs: wireTime,
      runningAtMs: wireTime,
      lastRunAtMs: wireTime,
      lastRunStatus: z.enum(["ok", "error", "skipped"]).optional(),
      lastError: z.string().optional(),
    })
    .default({}),
});
type WireJob = z.output<typeof jobSchema>;
const pageSchema = z.object({ jobs: z.array(jobSchema), nextOffset: z.number().nullish() });

const notFoundSchema = z.object({ code: z.literal("CRON_JOB_NOT_FOUND") });

export function gatewayJobs(post: GatewayPost): GatewayJobs {
  const call = <T>(method: string, params: Record<string, unknown>, result: z.ZodType<T>) =>
    callGateway(post, `cron.${method}`, params, result, explained);
  const change = async (id: string, patch: Record<string, unknown>) =>
    view(await call("update", { id, patch }, jobSchema));
  return {
    async list() {
      const jobs: WireJob[] = [];
      for (let offset: number | null | undefined = 0; offset !== null && offset !== undefined;) {
        const page: z.output<typeof pageSchema> = await call(
          "list",
          { includeDisabled: true, limit: PAGE, offset },
          pageSchema,
        );
        jobs.push(...page.jobs);
        offset = page.nextOffset;
      }
      return jobs.filter(({ declarationKey = "" }) => !OWN.test(declarationKey)).map(view);
    },
    async add({ name, schedule, message, session }) {
      const job = {
        name,
        schedule: wireSchedule(schedule),
        // It runs beside the conversation, knows its end, and puts the answer into it.
        sessionTarget: "current",
        sessionKey: session,
        wakeMode: "now",
        payload: { kind: "agentTurn", message },
      };
      return view(await callGateway(post, "cron.add", job, jobSchema, notTaken));
    },
    async run(id) {
      const job = await call("get", { id }, jobSchema);
      if (job.state.runningAtMs !== undefined) throw new Failure("conflict", "This job is running already.");
      if (!job.enabled) {
        throw new Failure("conflict", "This job is paused.", { hint: "Resume it first." });
      }
      // Not by cron.run: asked over HTTP, its run ends with the request.
      return await change(id, { state: { nextRunAtMs: Date.now() } });
    },
    setEnabled: (id, enabled) => change(id, { enabled }),
    async remove(id) {
      await call("remove", { id }, z.unknown());
    },
  };
}

function explained({ details }: WireError): Failure | undefined {
  if (!notFoundSchema.safeParse(details).success) return undefined;
  return new Failure("not_found", "There is no such job.", {
    hint: "The list has the jobs there are, with their ids.",
  });
}

/** What we send is made by us: what the gateway refuses in it is when the job is to run. */
function notTaken({ code, message }: WireError): Failure | undefined {
  if (code !== "INVALID_REQUEST") return undefined;
  return new Failure("invalid_input", `The gateway does not take this schedule: ${message}`, { hint: SCHEDULES });
}

function wireSchedule(schedule: JobSchedule): Record<string, unknown> {
  if ("at" in schedule) return { kind: "at", at: schedule.at };
  if ("everyMinutes" in schedule) return { kind: "every", everyMs: schedule.everyMinutes * 60_000 };
  // Without a zone the container's own would count.
  return { kind: "cron", expr: schedule.cron, tz: schedule.timezone ?? "UTC" };
}

function view({ id, name, displayName, enabled, schedule, sessionKey, payload, state }: WireJob): Job {
  const { nextRunAtMs, runningAtMs, lastRunAtMs, lastRunStatus, lastError } = state;
  return {
    id,
    name: displayName ?? name,
    schedule: words(schedule),
    enabled,
    ...(nextRunAtMs === undefined || !enabled ? {} : { nextRunAt: isoTime(nextRunAtMs) }),
    ...(lastRunAtMs === undefined ? {} : { lastRunAt: isoTime(lastRunAtMs) }),
    ...(lastRunStatus === undefined ? {} : { lastStatus: lastRunStatus }),
    ...(lastError === undefined || lastRunStatus === "ok" ? {} : { lastError }),
    running: runningAtMs !== undefined,
    ...(sessionKey === undefined ? {} : { session: sessionKey }),
    ...(payload.message === undefined ? {} : { message: payload.message }),
  };
}

function words(schedule: z.output<typeof scheduleSchema>): string {
  if ("at" in schedule) return `once at ${schedule.at}`;
  if ("everyMs" in schedule) return `every ${span(schedule.everyMs)}`;
  if ("expr" in schedule) return `at ${schedule.expr} (${schedule.tz ?? "the container's time"})`;
  return "when something happens";
}

function span(ms: number): string {
  const units: [name: string, ms: number][] = [
    ["days", 86_400_000],
    ["hours", 3_600_000],
    ["minutes", 60_000],
    ["seconds", 1_000],
  ];
  const found = units.find(([, each]) => ms % each === 0);
  if (!found) return `${ms} ms`;
  const [name, unit] = found;
  return ms === unit ? name.slice(0, -1) : `${ms / unit} ${name}`;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
