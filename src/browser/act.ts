import type { KeyInput, Page } from "@cloudflare/puppeteer";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { callIn, callOn } from "./in-page.ts";
import CHOOSE from "./page/choose.js";
import READY from "./page/ready-to-fill.js";
import SCROLL from "./page/scroll.js";
import { inTheWay, spotOf } from "./pointer.ts";
import type { Element } from "./refs.ts";
import { type BrowserSecrets, typed } from "./secrets.ts";
import type { Step } from "./step.ts";
import type { Tab } from "./tab.ts";

const problem = z.object({ problem: z.string() });
const readySchema = z.union([problem, z.object({ set: z.literal(true) }), z.object({ type: z.literal(true) })]);
const chosenSchema = z.union([problem, z.object({ chosen: z.array(z.string()) })]);

const MODIFIERS: ReadonlyMap<string, KeyInput> = new Map([
  ["control", "Control"],
  ["ctrl", "Control"],
  ["shift", "Shift"],
  ["alt", "Alt"],
  ["meta", "Meta"],
  ["cmd", "Meta"],
]);

/** Does one step. Returns when the browser has taken it, not when the page has dealt with it. */
export async function act(tab: Tab, step: Step, secrets: BrowserSecrets): Promise<void> {
  const { page } = tab;
  const { mouse } = page;
  const element = step.ref === undefined ? undefined : await tab.find(step.ref);
  switch (step.do) {
    case "click":
    case "double_click":
    case "right_click": {
      const { x, y } = await spotOf(page, needed(element, step));
      const [button, count] = step.do === "right_click" ? (["right", 1] as const) : (["left", 1] as const);
      await mouse.click(x, y, { button, count: step.do === "double_click" ? 2 : count });
      return;
    }
    case "hover": {
      const { x, y } = await spotOf(page, needed(element, step));
      await mouse.move(x, y);
      return;
    }
    case "fill":
      await fill(page, needed(element, step), text(step), secrets, false);
      return;
    case "type":
      if (element) await fill(page, element, text(step), secrets, true);
      else await page.keyboard.type(unsecret(text(step)));
      return;
    case "press":
      if (element) await callOn(element, "function () { this.focus(); }");
      await press(page, text(step));
      return;
    case "select": {
      const wanted = typeof step.value === "string" ? [step.value] : (step.value ?? []);
      const answer = chosenSchema.parse(await callOn(needed(element, step), CHOOSE, wanted));
      if ("problem" in answer) throw inTheWay(needed(element, step), answer.problem);
      return;
    }
    case "check":
    case "uncheck":
      await tick(page, needed(element, step), step.do === "check");
      return;
    case "scroll":
      if (element) await callOn(element, SCROLL, step.value);
      else await callIn(page.mainFrame(), SCROLL, step.value ?? "down");
      return;
    case "drag": {
      const from = await spotOf(page, needed(element, step));
      if (step.to === undefined) throw wrong(step, "needs `to`, the element to drop it on");
      await mouse.move(from.x, from.y);
      await mouse.down();
      try {
        const to = await spotOf(page, await tab.find(step.to));
        await mouse.move(to.x, to.y, { steps: 8 });
      } finally {
        await mouse.up();
      }
      return;
    }
  }
}

async function fill(page: Page, element: Element, given: string, secrets: BrowserSecrets, keep: boolean) {
  const { text: value, secret } = typed(given, element.frame.url(), secrets);
  const ready = readySchema.parse(await callOn(element, READY, secret ? "" : value, secret, keep));
  if ("problem" in ready) throw inTheWay(element, ready.problem);
  if ("set" in ready) return;
  if (value === "") await page.keyboard.press("Delete");
  else if (keep && !secret) await page.keyboard.type(value);
  else await element.client.send("Input.insertText", { text: value });
}

async function tick(page: Page, element: Element, wanted: boolean): Promise<void> {
  const isTicked = "function () { return this.checked ?? this.getAttribute('aria-checked') === 'true'; }";
  if ((await callOn(element, isTicked)) === wanted) return;
  const { x, y } = await spotOf(page, element);
  await page.mouse.click(x, y);
  // Some switches change a moment after the click.
  for (const ms of [0, 100, 300]) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if ((await callOn(element, isTicked)) === wanted) return;
  }
  throw inTheWay(element, `it is still ${wanted ? "not " : ""}ticked after a click`);
}

/** A key, with others held: `Control+Shift+K`. */
async function press(page: Page, keys: string): Promise<void> {
  const names = keys === "+" ? ["+"] : keys.split(/\+(?!$)/);
  const last = names.pop() ?? "";
  const held = names.map((name) => {
    const modifier = MODIFIERS.get(name.toLowerCase());
    if (!modifier)
      throw new Failure("invalid_input", `${name} is not a key that is held: Control, Shift, Alt or Meta.`);
    return modifier;
  });
  for (const key of held) await page.keyboard.down(key);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library checks it, and says which it does not know.
    await page.keyboard.press(last as KeyInput);
  } catch (error) {
    throw new Failure("invalid_input", `${last} is not a key.`, {
      hint: "Keys are like Enter, Tab, ArrowDown, a.",
      cause: error,
    });
  } finally {
    for (const key of held.toReversed()) await page.keyboard.up(key);
  }
}

function needed(element: Element | undefined, step: Step): Element {
  if (!element) throw wrong(step, "needs `ref`, an element's name");
  return element;
}

function text(step: Step): string {
  if (typeof step.value !== "string") throw wrong(step, "needs `value`, a text");
  return step.value;
}

/** Without a field nobody can say which page's it is. */
function unsecret(value: string): string {
  if (value.startsWith("secret:")) throw new Failure("invalid_input", "A secret is filled into a field: give its ref.");
  return value;
}

function wrong(step: Step, message: string): Failure {
  return new Failure("invalid_input", `${step.do} ${message}.`);
}
