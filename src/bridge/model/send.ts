import type { ModelTarget } from "../../config/providers.ts";
import type { Question } from "./question.ts";

/** What the Worker's AI binding does for the bridge. */
export interface AiBinding {
  run(
    model: string,
    input: Record<string, unknown>,
    options: {
      returnRawResponse: true;
      gateway?: { id: string; metadata: Record<string, string> };
      signal: AbortSignal;
    },
  ): Promise<Response>;
}

/** Facts about a call for AI Gateway's analytics; it takes at most five. */
export type Metadata = Record<string, string>;

/**
 * Asks one provider. The request is built from scratch: the key, the body and the API's own headers, and nothing else
 * that the container sent.
 */
export async function send(
  target: ModelTarget,
  question: Question,
  options: { ai: AiBinding | undefined; metadata: Metadata; signal: AbortSignal },
): Promise<Response> {
  const { via, model } = target;
  const { ai, metadata, signal } = options;
  if (via.kind === "binding") {
    if (!ai) throw new Error("The Worker has no AI binding.");
    const { model: _, ...input } = jsonObject(question.bodyFor(model));
    const gateway = via.gateway === undefined ? {} : { gateway: { id: via.gateway, metadata } };
    return await ai.run(model, input, { returnRawResponse: true, signal, ...gateway });
  }
  return await fetch(via.base + question.path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: question.stream ? "text/event-stream" : "application/json",
      ...question.headers,
      ...(via.metadata ? { "cf-aig-metadata": JSON.stringify(metadata) } : {}),
      ...via.headers,
    },
    body: question.bodyFor(model),
    signal,
    redirect: "manual",
  });
}

function jsonObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}
