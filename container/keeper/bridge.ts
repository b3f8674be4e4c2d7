import type { Begun, Change, CommitRequest, KeeperReport, Wanted } from "../../src/memory/access.ts";
import type { Entry, Manifest } from "../../src/memory/format.ts";

const TRIES = 5;
/** How often what came incomplete is asked for. */
export const WHOLE_TRIES = 3;
const FIRST_PAUSE_MS = 150;
const CALL_TIMEOUT_MS = 60_000;

/** What the Worker said is wrong. */
export class BridgeError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** The Worker's state routes. What they answer is of this project, and of the version that started this keeper. */
export class Bridge {
  readonly #url: string;
  readonly #token: string;
  #sent = 0;

  constructor({ url, token }: { url: string; token: string }) {
    this.#url = url;
    this.#token = token;
  }

  /** Bytes of all bodies so far. */
  get sent(): number {
    return this.#sent;
  }

  begin(): Promise<Begun> {
    return this.#json("begin", {});
  }

  head(fence: number): Promise<{ head: Manifest | null }> {
    return this.#json("head", { fence });
  }

  want(fence: number, contents: string[]): Promise<Wanted> {
    return this.#json("want", { fence, contents });
  }

  async put(fence: number, name: string, stored: Uint8Array): Promise<void> {
    await this.#call("PUT", `blobs/${name}`, stored, { "x-fence": String(fence) });
  }

  /** The stored bytes. */
  async blob(name: string): Promise<Uint8Array> {
    return await this.#call("GET", `blobs/${name}`);
  }

  async stage(fence: number, changes: Change[]): Promise<void> {
    await this.#call("POST", "stage", JSON.stringify({ fence, changes }));
  }

  commit(request: CommitRequest): Promise<Manifest> {
    return this.#json("commit", request);
  }

  async report(fence: number, report: KeeperReport): Promise<void> {
    await this.#call("POST", "report", JSON.stringify({ fence, ...report }));
  }

  damaged(blob: string): Promise<{ sound: string | null }> {
    return this.#json("damaged", { blob });
  }

  /** Of the generation, all of them: an answer that broke off is asked for again. */
  async entries({ generation, files }: { generation: string; files: number }): Promise<Entry[]> {
    for (let attempt = 1; ; attempt++) {
      const entries = entriesIn(new TextDecoder().decode(await this.#call("GET", `entries/${generation}`)));
      if (entries.length === files) return entries;
      if (attempt === WHOLE_TRIES) {
        const message = `Generation ${generation} should have ${files} files; its trees name ${entries.length}.`;
        throw new BridgeError("upstream", message, "");
      }
    }
  }

  async #json<T>(path: string, body: object): Promise<T> {
    return JSON.parse(new TextDecoder().decode(await this.#call("POST", path, JSON.stringify(body))));
  }

  /** Tries again what may work the next time: every call may be made twice. */
  async #call(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(method, path, body, headers);
      } catch (error) {
        const lasting = error instanceof BridgeError && error.code !== "unavailable" && error.code !== "internal";
        if (lasting || attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
      }
    }
  }

  async #once(
    method: string,
    path: string,
    body: string | Uint8Array | undefined,
    headers: Record<string, string>,
  ): Promise<Uint8Array> {
    this.#sent += body === undefined ? 0 : Buffer.byteLength(body);
    const response = await fetch(`${this.#url}/${path}`, {
      method,
      // Compressed by the development server it would only be slower.
      headers: { authorization: `Bearer ${this.#token}`, "accept-encoding": "identity", ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return bytes;
    throw refusal(response.status, new TextDecoder().decode(bytes));
  }
}

/** One a line; the last line may be half of one. */
function entriesIn(text: string): Entry[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

function refusal(status: number, text: string): BridgeError {
  try {
    const { error } = JSON.parse(text);
    const code = status === 401 ? "unauthorized" : String(error.code ?? "unavailable");
    return new BridgeError(code, String(error.message), String(error.hint ?? ""));
  } catch {
    return new BridgeError(status === 401 ? "unauthorized" : "unavailable", `The Worker answered ${status}.`, "");
  }
}
