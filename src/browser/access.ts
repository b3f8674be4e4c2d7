import type { FailureView } from "../core/failure.ts";
import type { Reply } from "../core/reply.ts";
import type { Step } from "./step.ts";

export type DialogView = {
  type: "alert" | "confirm" | "prompt" | "beforeunload";
  message: string;
  /** What a prompt offers. */
  default?: string;
};

/** What every answer says of the page it is about. */
export type PageState = {
  url: string;
  title: string;
  /** `t1`, `t2` …: stable while the tab lives. */
  tab: string;
  /** Open now; until it is answered the page does nothing else. */
  dialog?: DialogView;
  /** Errors in the console since the last answer, newest last. */
  console_errors?: string[];
  /** What else happened: a tab opened, a page refused. */
  notes?: string[];
};

/** A result together with the state of its page. */
export type OnPage<Result> = Result & { page: PageState };

export type SnapshotText = {
  snapshot: string;
  /** Gives the rest: pass it to `snapshot`. */
  cursor?: string;
  /** Characters of the whole. */
  total: number;
};

export type SnapshotMode = "interactive" | "full";

export interface SnapshotRequest {
  tab?: string;
  mode?: SnapshotMode;
  /** Only what is inside of this element. */
  ref?: string;
  cursor?: string;
  characters?: number;
}

export interface NavigateRequest {
  tab?: string;
  url?: string;
  move?: "back" | "forward" | "reload";
  newTab?: boolean;
  until?: "domcontentloaded" | "load" | "idle";
  waitMs?: number;
}

export interface ActRequest {
  tab?: string;
  steps: readonly Step[];
  show: "changes" | "snapshot" | "nothing";
}

export type ActResult = {
  /** Steps that were done. */
  done: number;
  failed?: FailureView;
  changes?: string;
  cursor?: string;
};

/** Bytes are base64: they go on into a result as they are. */
export type Picture = {
  data: string;
  mimeType: "image/jpeg" | "image/png" | "image/webp";
  width: number;
  height: number;
  bytes: number;
  /** The whole was taller. */
  cut?: boolean;
};

export interface ScreenshotRequest {
  tab?: string;
  ref?: string;
  fullPage?: boolean;
  format?: "jpeg" | "png";
}

export interface ReadRequest {
  tab?: string;
  ref?: string;
  offset?: number;
  characters?: number;
}

export type ReadResult = {
  /** Markdown. */
  text: string;
  total: number;
  next_offset?: number;
};

export interface EvaluateRequest {
  tab?: string;
  ref?: string;
  expression: string;
  /** A script that runs longer is stopped. */
  waitMs?: number;
}

export interface WaitRequest {
  tab?: string;
  text?: string;
  gone?: string;
  url?: string;
  idle?: boolean;
  seconds?: number;
  waitMs?: number;
}

export type TabView = {
  tab: string;
  url: string;
  title: string;
  active: boolean;
};

export interface LogRequest {
  tab?: string;
  kind: "console" | "network";
  after?: number;
  match?: string;
  failedOnly?: boolean;
}

export type LogLine = {
  n: number;
  text: string;
};

export interface UploadFile {
  name: string;
  mimeType: string;
  /** Base64. */
  data: string;
}

export type FileBytes = {
  name: string;
  mimeType: string;
  /** Base64. */
  data: string;
  bytes: number;
};

export interface EmulateRequest {
  tab?: string;
  device?: "desktop" | "phone" | "tablet";
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark" | "none";
  timezone?: string;
  locale?: string;
  geolocation?: { latitude: number; longitude: number };
  offline?: boolean;
}

export interface RecordRequest {
  tab?: string;
  do: "start" | "stop";
  fps?: number;
  width?: number;
}

export type SessionView = {
  open: boolean;
  started?: string;
  idle_closes_in_s?: number;
  tabs: TabView[];
  live_view?: string;
  handoff?: "active" | "none";
  /** Of the bot's first page. */
  picture?: Picture;
};

export interface SessionRequest {
  do: "status" | "close" | "live_view" | "handoff" | "handoff_done" | "look_at_bot";
  instructions?: string;
}

/** One principal's browser. Every method answers within its deadline, whatever the page does. */
export interface BrowserSession {
  navigate(request: NavigateRequest): Promise<Reply<OnPage<{ status?: number } & SnapshotText>>>;
  snapshot(request: SnapshotRequest): Promise<Reply<OnPage<SnapshotText>>>;
  act(request: ActRequest): Promise<Reply<OnPage<ActResult>>>;
  screenshot(request: ScreenshotRequest): Promise<Reply<OnPage<Picture>>>;
  read(request: ReadRequest): Promise<Reply<OnPage<ReadResult>>>;
  evaluate(request: EvaluateRequest): Promise<Reply<OnPage<{ value: string }>>>;
  wait(request: WaitRequest): Promise<Reply<OnPage<{ met: boolean }>>>;
  tabs(request: { do: "list" | "new" | "select" | "close"; tab?: string }): Promise<Reply<OnPage<{ tabs: TabView[] }>>>;
  dialog(request: { tab?: string; accept: boolean; text?: string }): Promise<Reply<OnPage<{ answered: DialogView }>>>;
  logs(request: LogRequest): Promise<Reply<OnPage<{ lines: LogLine[]; next: number }>>>;
  upload(request: {
    tab?: string;
    ref: string;
    files: readonly UploadFile[];
  }): Promise<Reply<OnPage<{ files: number }>>>;
  download(request: { tab?: string; url?: string; ref?: string }): Promise<Reply<OnPage<FileBytes>>>;
  pdf(request: { tab?: string; landscape?: boolean; pages?: string }): Promise<Reply<OnPage<FileBytes>>>;
  emulate(request: EmulateRequest): Promise<Reply<OnPage<{ viewport: string }>>>;
  record(request: RecordRequest): Promise<Reply<OnPage<{ recording: boolean; frames: number; movie?: Picture }>>>;
  session(request: SessionRequest): Promise<Reply<SessionView>>;
  /**
   * Pictures of the active tab as `multipart/x-mixed-replace; boundary=frame`, each a JPEG, at most ten a second, until
   * the reader goes or the browser ends. Opens a browser when there is none.
   */
  watch(): Promise<Reply<ReadableStream<Uint8Array>>>;
}
