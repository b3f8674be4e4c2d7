import type { Frame, Page } from "@cloudflare/puppeteer";
import { factsOf, type FrameFacts } from "./frame-facts.ts";
import CLICKABLES from "./page/clickables.js";

/** As the protocol gives it; only what is used. */
export interface AxNode {
  nodeId: string;
  ignored: boolean;
  role?: { value?: unknown };
  name?: { value?: unknown };
  value?: { value?: unknown };
  properties?: { name: string; value: { value?: unknown } }[];
  childIds?: string[];
  parentId?: string;
  backendDOMNodeId?: number;
}

/** One frame: its accessibility tree, and what that tree does not tell. */
export interface Part {
  frame: Frame;
  facts: FrameFacts;
  nodes: Map<string, AxNode>;
  root: AxNode | undefined;
  clickable: ReadonlySet<number>;
  /** Which of this frame's nodes hold which frames. */
  owners: Map<number, string>;
}

const MOST_CLICKABLES = 60;
/** A frame that does not answer is left out rather than waited for. */
const FRAME_MS = 3_000;

/** What each frame of the page says of itself, by the frame's id; all are asked at once. */
export async function partsOf(page: Page): Promise<Map<string, Part>> {
  const parts = new Map<string, Part>();
  await Promise.all(
    page.frames().map(async (frame) => {
      const main = frame === page.mainFrame();
      const part = main ? await partOf(frame) : await soon(partOf(frame));
      if (part) parts.set(part.facts.id, part);
    }),
  );
  return parts;
}

async function partOf(frame: Frame): Promise<Part> {
  const facts = factsOf(frame);
  const [{ nodes }, clickable, owners] = await Promise.all([
    facts.client.send("Accessibility.getFullAXTree", { frameId: facts.id }),
    clickablesOf(frame, facts).catch(() => new Set<number>()),
    ownersOf(frame, facts),
  ]);
  const list: AxNode[] = nodes;
  return {
    frame,
    facts,
    nodes: new Map(list.map((node) => [node.nodeId, node])),
    root: list.find(({ parentId }) => parentId === undefined),
    clickable,
    owners,
  };
}

async function ownersOf(frame: Frame, { client }: FrameFacts): Promise<Map<number, string>> {
  const found = await Promise.all(
    frame.childFrames().map(async (child) => {
      const { id } = factsOf(child);
      // A frame may go while it is looked for.
      const owner = await client.send("DOM.getFrameOwner", { frameId: id }).catch(() => undefined);
      return owner && ([owner.backendNodeId, id] as const);
    }),
  );
  return new Map(found.filter((entry) => entry !== undefined));
}

async function clickablesOf(frame: Frame, { client }: FrameFacts): Promise<Set<number>> {
  const handle = await frame.evaluateHandle(`(${CLICKABLES})(${MOST_CLICKABLES})`);
  const { objectId } = handle.remoteObject();
  if (objectId === undefined) return new Set();
  const { result } = await client.send("Runtime.getProperties", { objectId, ownProperties: true });
  const ids = await Promise.all(
    result.map(async ({ value }) => {
      if (value?.subtype !== "node" || value.objectId === undefined) return undefined;
      const { node } = await client.send("DOM.describeNode", { objectId: value.objectId });
      return node.backendNodeId;
    }),
  );
  await handle.dispose();
  return new Set(ids.filter((id) => id !== undefined));
}

async function soon<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), FRAME_MS);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
