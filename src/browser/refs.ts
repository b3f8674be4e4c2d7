import type { CDPSession, Frame, Page } from "@cloudflare/puppeteer";
import { Failure } from "../core/failure.ts";
import { factsOf } from "./frame-facts.ts";

/** An element found again. */
export interface Element {
  ref: string;
  frame: Frame;
  client: CDPSession;
  backendNodeId: number;
  /** Its handle in the page; released with the others of its call. */
  objectId: string;
}

const REF = /^(?:f(\d+))?e(\d+)$/;

/** Handles of one call are in one group, so that they can be let go together. */
export const HANDLES = "moltbot";

interface Known {
  loaderId: string;
  ids: Set<number>;
}

/**
 * The names elements have been shown under. A name holds the node's id in its process, which stays while the document
 * does; what is kept is only which of them were shown for which document, for after a navigation the same number can
 * be another element.
 */
export class Refs {
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<number, Known>();
  #next = 1;

  /** The frame's number: 0 for the main one. */
  number(frame: Frame): number {
    if (frame.parentFrame() === null) return 0;
    const { id } = factsOf(frame);
    const number = this.#numbers.get(id) ?? this.#next++;
    this.#numbers.set(id, number);
    return number;
  }

  /** Names an element and remembers that it was shown. */
  name(frame: number, loaderId: string, backendNodeId: number): string {
    let known = this.#known.get(frame);
    if (known?.loaderId !== loaderId) {
      known = { loaderId, ids: new Set() };
      this.#known.set(frame, known);
    }
    known.ids.add(backendNodeId);
    return frame === 0 ? `e${backendNodeId}` : `f${frame}e${backendNodeId}`;
  }

  /** The element of that name, if the page it was shown on is still there. */
  async find(page: Page, ref: string): Promise<Element> {
    const parts = REF.exec(ref);
    if (!parts) {
      throw new Failure("invalid_input", `${ref} is not the name of an element.`, {
        hint: "Names are like e12 or f1e12, from browser_snapshot.",
      });
    }
    const number = Number(parts[1] ?? 0);
    const backendNodeId = Number(parts[2]);
    const frame = page.frames().find((candidate) => this.number(candidate) === number);
    const known = this.#known.get(number);
    if (!frame || known?.loaderId !== factsOf(frame).loaderId || !known.ids.has(backendNodeId)) throw stale(ref);
    const { client } = factsOf(frame);
    try {
      const { object } = await client.send("DOM.resolveNode", { backendNodeId, objectGroup: HANDLES });
      const { objectId } = object;
      if (objectId === undefined) throw stale(ref);
      return { ref, frame, client, backendNodeId, objectId };
    } catch (error) {
      throw error instanceof Failure ? error : stale(ref, error);
    }
  }
}

function stale(ref: string, cause?: unknown): Failure {
  return new Failure("not_found", `${ref} is not on the page any more.`, {
    hint: "Take a new browser_snapshot and use a name from it.",
    ...(cause === undefined ? {} : { cause }),
  });
}
