import { z } from "zod";
import type { GatewayJobs } from "../gateway/jobs.ts";
import { NOTHING } from "./input.ts";
import { type Route, route } from "./route.ts";

const named = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });

/** What the gateway does by the clock. All of it needs the running gateway. */
export const JOB_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "jobs",
    input: NOTHING,
    run: async (_input, { admin }) => ({
      // What the bot is told is between it and whoever told it.
      jobs: (await admin.jobs.list()).map(({ session: _session, message: _message, ...job }) => job),
    }),
  }),
  change("run", (jobs, id) => jobs.run(id)),
  change("pause", (jobs, id) => jobs.setEnabled(id, false)),
  change("resume", (jobs, id) => jobs.setEnabled(id, true)),
  change("remove", (jobs, id) => jobs.remove(id)),
];

function change(verb: string, work: (jobs: GatewayJobs, id: string) => Promise<unknown>): Route {
  return route({
    method: "POST",
    path: `jobs/${verb}`,
    input: named,
    async run({ id }, { admin }) {
      await work(admin.jobs, id);
      return {};
    },
  });
}
