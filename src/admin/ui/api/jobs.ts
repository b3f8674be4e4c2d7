import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { change, look } from "./call.ts";
import { moment } from "./fields.ts";

const job = z.object({
  id: z.string(),
  name: z.string(),
  schedule: z.string(),
  enabled: z.boolean(),
  running: z.boolean(),
  nextRunAt: moment.optional(),
  lastRunAt: moment.optional(),
  lastStatus: z.enum(["ok", "error", "skipped"]).optional(),
  lastError: z.string().optional(),
});
export type Job = z.output<typeof job>;

const listSchema = z.object({ jobs: z.array(job) });

const REFRESH_MS = 5_000;

/** Answered only while the gateway is ready. */
export const jobs = queryOptions({
  queryKey: ["jobs"],
  queryFn: ({ signal }) => look("jobs", listSchema, { signal }),
  refetchInterval: REFRESH_MS,
});

const done = z.object({});

export const runJob = (id: string) => change("jobs/run", { id }, done);
export const pauseJob = (id: string) => change("jobs/pause", { id }, done);
export const resumeJob = (id: string) => change("jobs/resume", { id }, done);
export const removeJob = (id: string) => change("jobs/remove", { id }, done);
