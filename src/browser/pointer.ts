import type { Frame, Page } from "@cloudflare/puppeteer";
import { z } from "zod";
import { Failure } from "../core/failure.ts";
import { callOn } from "./in-page.ts";
import ORIGIN from "./page/origin.js";
import REACH from "./page/reach.js";
import { type Element, HANDLES } from "./refs.ts";
import { factsOf } from "./frame-facts.ts";

export interface Spot {
  x: number;
  y: number;
}

/** How long an element may be covered, disabled or moving before an action on it fails. */
const PATIENCE_MS = 3_000;

const spotSchema = z.object({ x: z.number(), y: z.number() });
const reached = z.union([spotSchema, z.object({ problem: z.string() })]);

/** Where in the page's window a click reaches the element; fails with what is in the way. */
export async function spotOf(page: Page, element: Element): Promise<Spot> {
  const answer = reached.parse(await callOn(element, REACH, PATIENCE_MS));
  if ("problem" in answer) throw inTheWay(element, answer.problem);
  const { x, y } = await originOf(page, element.frame);
  return { x: answer.x + x, y: answer.y + y };
}

/** Where in the page's window a frame begins: the sum over the elements it is nested in, whatever process each is in. */
export async function originOf(page: Page, frame: Frame): Promise<Spot> {
  const parent = frame.parentFrame();
  if (parent === null || frame === page.mainFrame()) return { x: 0, y: 0 };
  const { client } = factsOf(parent);
  const { backendNodeId } = await client.send("DOM.getFrameOwner", { frameId: factsOf(frame).id });
  const { object } = await client.send("DOM.resolveNode", { backendNodeId, objectGroup: HANDLES });
  const owner = { ref: "", frame: parent, client, backendNodeId, objectId: object.objectId ?? "" };
  const own = spotSchema.parse(await callOn(owner, ORIGIN));
  const outer = await originOf(page, parent);
  return { x: own.x + outer.x, y: own.y + outer.y };
}

export function inTheWay({ ref }: Element, problem: string): Failure {
  return new Failure("conflict", `${ref}: ${problem}.`, { hint: "Look at the page again with browser_snapshot." });
}
