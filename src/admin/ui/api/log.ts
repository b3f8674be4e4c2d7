import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { look } from "./call.ts";

const logSchema = z.object({ lines: z.array(z.string()), running: z.boolean() });

const FOLLOW_MS = 2_000;

/** The end of the gateway's log: of this run, or of the last one. */
export const log = (lines: number, following: boolean) =>
  queryOptions({
    queryKey: ["log", lines],
    queryFn: ({ signal }) => look("log", logSchema, { query: { lines }, signal }),
    refetchInterval: following ? FOLLOW_MS : false,
  });
