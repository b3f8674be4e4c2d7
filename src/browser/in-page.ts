import type { Frame } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import type { Element } from "./refs.ts";

/** Calls a function of page/ on an element, `this` being the element. What it returns comes back as JSON. */
export async function callOn(element: Element, source: string, ...given: unknown[]): Promise<unknown> {
  const { result, exceptionDetails } = await element.client.send("Runtime.callFunctionOn", {
    functionDeclaration: source,
    objectId: element.objectId,
    arguments: given.map((value) => ({ value })),
    returnByValue: true,
    awaitPromise: true,
    userGesture: true,
  });
  if (exceptionDetails) throw thrown(exceptionDetails);
  const value: unknown = result.value;
  return value;
}

/** Calls a function of page/ in a document, `this` being its window. */
export async function callIn(frame: Frame, source: string, ...given: unknown[]): Promise<unknown> {
  return await frame.evaluate(`(${source}).call(globalThis, ...${JSON.stringify(given)})`);
}

/** What a page threw, as the caller may see it. */
export function thrown(details: { text: string; exception?: { description?: string; value?: unknown } }): Failure {
  const { exception } = details;
  const what =
    exception?.description ?? (exception?.value === undefined ? details.text : JSON.stringify(exception.value));
  return new Failure("upstream", `The page threw: ${what}`);
}
