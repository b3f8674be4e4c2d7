import { infiniteQueryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { addressOf, look } from "./call.ts";
import { moment } from "./fields.ts";

const file = z.object({ path: z.string(), size: z.number(), modified: moment });
export type LargeFile = z.output<typeof file>;

const pageSchema = z.object({ files: z.array(file), cursor: z.string().optional() });

/** The large files whose paths begin with `prefix`, page by page. */
export const files = (prefix: string) =>
  infiniteQueryOptions({
    queryKey: ["files", prefix],
    queryFn: ({ pageParam, signal }) => look("files", pageSchema, { query: { prefix, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: ({ cursor }) => cursor,
  });

/** Where a browser gets its bytes. */
export function fileAddress(path: string): string {
  return addressOf(`files/${path.split("/").map(encodeURIComponent).join("/")}`);
}
