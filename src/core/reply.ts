import { Failure, type FailureView, toFailure } from "./failure.ts";
import { log } from "./log.ts";

/**
 * A Durable Object call's outcome as data. An Error that crosses a Durable Object call keeps only its
 * text, so codes and hints would be lost: methods answer with a Reply instead of throwing.
 */
export type Reply<T> = { ok: true; value: T } | { ok: false; failure: FailureView };

/** Runs `work` on the object's side; its failure becomes data, its cause goes to the log. */
export async function reply<T>(operation: string, work: () => Promise<T> | T): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    const failure = toFailure(error);
    if (failure.cause !== undefined) log("error", operation, { outcome: failure.code, cause: failure.cause });
    return { ok: false, failure: failure.view() };
  }
}

/** On the caller's side: the value, or the failure thrown again. */
export function unwrap<T>(answer: Reply<T>): T {
  if (answer.ok) return answer.value;
  const { code, message, hint } = answer.failure;
  throw new Failure(code, message, hint ? { hint } : {});
}
