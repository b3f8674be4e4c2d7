import { QueryClient } from "@tanstack/react-query";
import { CallFailure } from "./call.ts";

/** A connection that is gone for a moment is tried again; what the Worker said stays said. */
function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof CallFailure && error.code === "unreachable";
}

export const client = new QueryClient({
  defaultOptions: {
    // "always": what a browser believes of its network says nothing of a Worker on the same machine.
    queries: { retry, networkMode: "always", staleTime: 2_000, refetchIntervalInBackground: false },
    mutations: { retry: false, networkMode: "always" },
  },
});
