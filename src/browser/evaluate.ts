import type { EvaluateRequest } from "./access.ts";
import { thrown } from "./in-page.ts";
import { DEFAULT_WAIT_MS, MOST_CHARACTERS } from "./limits.ts";
import { HANDLES } from "./refs.ts";
import type { Tab } from "./tab.ts";
import { factsOf } from "./frame-facts.ts";

/** The value itself, by way of a function that returns it: a promise is awaited on the way. */
const SELF = "function () { return this; }";

/** What an expression is, as JSON where it can be; with an element it is a function that is called with it. */
export async function evaluate(tab: Tab, { expression, ref, waitMs = DEFAULT_WAIT_MS }: EvaluateRequest) {
  const element = ref === undefined ? undefined : await tab.find(ref);
  const client = element?.client ?? factsOf(tab.page.mainFrame()).client;
  const evaluated = element
    ? await client.send("Runtime.callFunctionOn", {
        functionDeclaration: `function () { return (${expression}).call(this, this); }`,
        objectId: element.objectId,
        objectGroup: HANDLES,
        userGesture: true,
      })
    : await client.send("Runtime.evaluate", {
        expression,
        // Top-level await, and names that can be declared again.
        replMode: true,
        awaitPromise: true,
        userGesture: true,
        objectGroup: HANDLES,
        // Nothing else would work on its page.
        timeout: waitMs,
      });
  if (evaluated.exceptionDetails) throw thrown(evaluated.exceptionDetails);
  const { objectId, description, type } = evaluated.result;
  const { result, exceptionDetails } =
    objectId === undefined || type === "function"
      ? evaluated
      : await client
          .send("Runtime.callFunctionOn", {
            functionDeclaration: SELF,
            objectId,
            awaitPromise: true,
            returnByValue: true,
          })
          // What is no plain data, such as a window, has only a description.
          .catch(() => evaluated);
  if (exceptionDetails) throw thrown(exceptionDetails);
  const value = tab.hide(
    result.value === undefined
      ? (result.unserializableValue ?? description ?? result.type)
      : JSON.stringify(result.value),
  );
  if (value.length <= MOST_CHARACTERS) return value;
  return `${value.slice(0, MOST_CHARACTERS)}[${value.length - MOST_CHARACTERS} characters left out]`;
}
