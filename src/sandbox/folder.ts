import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import { redact } from "../core/redact.ts";
import { shellLine } from "../core/shell.ts";

/** A part of a bucket as a folder of the container. */
export interface BucketFolder {
  /** Name of the R2 binding. */
  binding: string;
  /** What the bucket's keys of its files begin with; the SDK wants a slash before it. */
  prefix: string;
  path: string;
}

/** What is known of the folder without looking: how it went when it was last mounted. */
export interface FolderStatus {
  path: string;
  /** Why it is not there. */
  problem?: string;
}

/** What mounting needs of the container; the Sandbox object implements it. */
export interface MountHost {
  storage: {
    get(key: string): Promise<string | undefined>;
    put(key: string, value: string): Promise<void>;
    delete(key: string): Promise<unknown>;
  };
  mount(folder: BucketFolder): Promise<void>;
  unmount(path: string): Promise<void>;
  /** Whether a shell line ends with exit code 0. */
  succeeds(line: string): Promise<boolean>;
}

const PROBLEM = "moltbot:folder-problem";
const LOOK_SECONDS = 5;
const MOUNTED_WITHIN_MS = 20_000;
/** After a failure nothing is tried for so long: each try holds up what the container is wanted for. */
const AGAIN_AFTER_MS = 60_000;

/** The folder for large files: mounted once for each life of the container, and missed, but not waited for, when it cannot be. */
export class FolderMount {
  readonly #folder: () => BucketFolder;
  readonly #host: MountHost;
  #mounting: Promise<void> | undefined;
  #failedAt: number | undefined;

  constructor(folder: () => BucketFolder, host: MountHost) {
    this.#folder = folder;
    this.#host = host;
  }

  /** Never throws: a bot without its large files is a bot all the same. */
  ensure(): Promise<void> {
    if (this.#failedAt !== undefined && Date.now() > this.#failedAt + AGAIN_AFTER_MS) this.containerGone();
    this.#mounting ??= this.#tried();
    return this.#mounting;
  }

  /** The next container has to be given the folder anew. */
  containerGone(): void {
    this.#mounting = undefined;
    this.#failedAt = undefined;
  }

  async status(): Promise<FolderStatus> {
    const problem = await this.#host.storage.get(PROBLEM);
    return { path: this.#folder().path, ...(problem === undefined ? {} : { problem }) };
  }

  async #tried(): Promise<void> {
    const { path } = this.#folder();
    const started = Date.now();
    try {
      using patience = deadline(MOUNTED_WITHIN_MS);
      await raced(this.#mount(), patience.signal);
      await this.#host.storage.delete(PROBLEM);
      log("info", "folder.mount", { outcome: "ok", ms: Date.now() - started });
    } catch (cause) {
      this.#failedAt = Date.now();
      const problem = redact(cause instanceof Error ? cause.message : String(cause));
      log("error", "folder.mount", { outcome: "failed", ms: Date.now() - started, cause });
      await this.#host.storage.put(PROBLEM, `The folder ${path} is not there: ${problem}`);
      // An empty directory in its place would take files that are gone with the container. The image's user, to whom it
      // belongs, cannot take it out of the root directory.
      await this.#host
        .succeeds(`${shellLine(["rmdir", path])} || ${shellLine(["chmod", "555", path])}`)
        .catch(() => false);
    }
  }

  async #mount(): Promise<void> {
    const folder = this.#folder();
    const { path } = folder;
    // An object that was made anew finds what the one before it has mounted.
    if (await this.#host.succeeds(answers(path))) return;
    await this.#host.unmount(path).catch(() => undefined);
    await this.#host.succeeds(`! mountpoint -q ${shellLine([path])} || ${shellLine(["fusermount", "-uz", path])}`);
    await this.#host.succeeds(`! test -d ${shellLine([path])} || ${shellLine(["chmod", "755", path])}`);
    await this.#host.mount(folder);
    if (!(await this.#host.succeeds(answers(path)))) {
      throw new Failure("upstream", "It is mounted and does not answer.");
    }
  }
}

/**
 * Whether the folder is mounted and the storage behind it answers: it is asked for a file that is not there, and has to say so. The
 * mount's own root is answered without the storage, and a list may take long. A name is asked for once, for the answer is
 * remembered.
 */
function answers(path: string): string {
  const nothing = shellLine([`${path}/.nothing-${crypto.randomUUID()}`]);
  const asked = `LC_ALL=C timeout ${LOOK_SECONDS} stat ${nothing} 2>&1`;
  return `mountpoint -q ${shellLine([path])} && ${asked} | grep -q 'No such file'`;
}
