import { z } from "zod";
import { DEFAULT_CONVERSATION, sessionKey } from "../../chat/conversation.ts";
import { Failure } from "../../core/failure.ts";
import { unwrap } from "../../core/reply.ts";
import type { GatewayJobs, Job } from "../../gateway/jobs.ts";
import type { GatewayStatus } from "../../sandbox/lifecycle.ts";
import { type Call, defineTool } from "../tool.ts";
import { type JobsInput, jobsInput, scheduleOf } from "./jobs-input.ts";

const jobOutput = z.object({
  id: z.string(),
  name: z.string(),
  schedule: z.string().describe("In words."),
  enabled: z.boolean().describe("False: paused, or done."),
  running: z.boolean(),
  next_run_at: z.string().optional(),
  last_run_at: z.string().optional(),
  last_status: z.enum(["ok", "error", "skipped"]).optional(),
  last_error: z.string().optional(),
  yours: z.boolean().describe("It belongs to a conversation of yours."),
  conversation: z.string().optional().describe("Where its answers are; of yours only."),
  message: z.string().optional().describe("What the Moltbot is told; of yours only."),
});
type ShownJob = z.output<typeof jobOutput>;

const AWAKE_ONLY = "It runs only while the Moltbot is awake: bot_status tells after how long it falls asleep.";

export const botJobs = defineTool({
  name: "bot_jobs",
  title: "Jobs of the Moltbot",
  description:
    "What the Moltbot does by the clock: it is told a message, and answers into a conversation. list shows your jobs (with the permission control, all), add makes one, run does one now beside its schedule, pause and resume hold it, remove deletes it. One for a single moment is gone once done. Only while the Moltbot is awake: neither this nor a job wakes it, bot_wake does.",
  scope: "chat",
  // What is set to work by the clock outlives the client's own permission.
  moreScopes: {
    argument: "action",
    of: { add: "control", run: "control", pause: "control", resume: "control", remove: "control" },
  },
  effect: "destructive",
  // What a job makes the bot do may reach the internet.
  openWorld: true,
  needs: ["bot", "chat", "jobs"],
  input: jobsInput,
  output: z.object({ jobs: z.array(jobOutput) }),
  deadlineMs: 45_000,
  async run(input, { bot, chat, jobs }, call) {
    requireReady(unwrap(await bot.gatewayStatus()));
    // What the keys of all the person's conversations begin with.
    const mine = await sessionKey(call.principal, "");
    const one = async (work: Promise<Job>, text: (job: ShownJob) => string) => {
      const job = shown(await work, mine);
      return { data: { jobs: [job] }, text: text(job) };
    };
    switch (input.action) {
      case "list": {
        const found = (await listed(jobs, call, mine)).map((job) => shown(job, mine));
        return { data: { jobs: found }, text: found.map(line).join("\n") || "There are no jobs. add makes one." };
      }
      case "add": {
        const { name = "", message = "", conversation = DEFAULT_CONVERSATION } = input;
        const known = unwrap(await chat.conversations(call.principal));
        if (!known.some((each) => each.conversation === conversation)) {
          throw new Failure("not_found", `There is no conversation "${conversation}" for the answers.`, {
            hint: "Begin it with chat_send, or name one that chat_conversations lists.",
          });
        }
        const session = await sessionKey(call.principal, conversation);
        const job = { name, message, session, schedule: scheduleOf(input) };
        return await one(jobs.add(job), (made) => `Added: ${line(made)}\n${AWAKE_ONLY}`);
      }
      case "run":
        return await one(
          jobs.run(idOf(input)),
          (job) => `It begins within some seconds; list tells how it ended: ${line(job)}`,
        );
      case "pause":
        return await one(jobs.setEnabled(idOf(input), false), (job) => `Paused: ${line(job)}`);
      case "resume":
        return await one(jobs.setEnabled(idOf(input), true), (job) => `Resumed: ${line(job)}`);
      case "remove": {
        const id = idOf(input);
        await jobs.remove(id);
        return { data: { jobs: [] }, text: `The job ${id} is removed.` };
      }
    }
  },
});

/** What others have the bot do is for those to see who may change it. */
async function listed(jobs: GatewayJobs, { scopes }: Call, mine: string): Promise<Job[]> {
  const all = await jobs.list();
  return scopes.includes("control") ? all : all.filter(({ session = "" }) => session.startsWith(mine));
}

/** The schema has seen to it that there is one. */
function idOf({ id = "" }: JobsInput): string {
  return id;
}

function shown({ session = "", message, ...job }: Job, mine: string): ShownJob {
  const yours = session.startsWith(mine);
  return {
    id: job.id,
    name: job.name,
    schedule: job.schedule,
    enabled: job.enabled,
    running: job.running,
    ...(job.nextRunAt === undefined ? {} : { next_run_at: job.nextRunAt }),
    ...(job.lastRunAt === undefined ? {} : { last_run_at: job.lastRunAt }),
    ...(job.lastStatus === undefined ? {} : { last_status: job.lastStatus }),
    ...(job.lastError === undefined ? {} : { last_error: job.lastError }),
    yours,
    ...(yours ? { conversation: session.slice(mine.length) } : {}),
    ...(yours && message !== undefined ? { message } : {}),
  };
}

function line(job: ShownJob): string {
  const last = job.last_run_at === undefined ? "" : `, last ${job.last_run_at} ${job.last_status ?? ""}`.trimEnd();
  const problem = job.last_error === undefined ? "" : ` (${job.last_error})`;
  const next = job.next_run_at === undefined ? "" : `, next ${job.next_run_at}`;
  const state = job.running ? ", running now" : job.enabled ? "" : ", paused or done";
  const where = job.conversation === undefined ? ", not yours" : `, conversation ${job.conversation}`;
  return `${job.id}  ${job.name}: ${job.schedule}${state}${next}${last}${problem}${where}`;
}

function requireReady({ phase, reason }: GatewayStatus): void {
  if (phase === "ready") return;
  throw new Failure("unavailable", `The Moltbot is ${phase}; it keeps its jobs itself and has to be ready to tell.`, {
    hint: nextStep(phase, reason),
  });
}

function nextStep(phase: Exclude<GatewayStatus["phase"], "ready">, reason: string | undefined): string {
  switch (phase) {
    case "asleep":
      return "Call bot_wake, then this again. No job runs while it sleeps.";
    case "restoring":
    case "starting":
    case "draining":
      return "Call bot_wake, which waits until it is ready, then this again.";
    case "unresponsive":
      return "Try again in some seconds; bot_restart starts it anew.";
    case "failed":
      return `${reason ?? "bot_status says why."} Mend that, then call bot_restart.`;
  }
}
