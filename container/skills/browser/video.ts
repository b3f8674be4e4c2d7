import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { parseArgs } from "node:util";
import { type DevToolsPage, openPage, parseSize, text } from "./devtools.ts";

const USAGE = "Usage: node video.ts <address or tab id> <file.mp4> [--seconds 5] [--size 1280x720]";
const FRAMES_PER_SECOND = 25;
const LONGEST_SECONDS = 120;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string", default: "5" }, size: { type: "string", default: "1280x720" } },
  });
  const [target, file] = positionals;
  const seconds = Number(values.seconds);
  if (target === undefined || file === undefined) throw new Error(USAGE);
  if (!(seconds > 0 && seconds <= LONGEST_SECONDS)) throw new Error(`--seconds is 1 to ${LONGEST_SECONDS}.`);
  const encoder = startEncoder(file);
  const page = await openPage(target, parseSize(values.size)).catch((error: unknown) => {
    encoder.kill();
    throw error;
  });
  try {
    const frames = await recordPage(page, seconds, encoder.stdin);
    encoder.stdin.end();
    const [code] = await once(encoder, "close");
    if (code !== 0) throw new Error(`ffmpeg ended with exit code ${String(code)}.`);
    console.log(`${file}: ${seconds} s, ${frames} frames`);
  } finally {
    encoder.kill();
    await page.close();
  }
}

type Encoder = ChildProcessByStdio<Writable, null, Readable>;

function startEncoder(file: string): Encoder {
  const input = ["-f", "image2pipe", "-framerate", String(FRAMES_PER_SECOND), "-c:v", "mjpeg", "-i", "-"];
  // Players want an even number of pixels each way, and the index first.
  const output = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2"];
  const argv = ["-y", "-loglevel", "error", ...input, ...output, "-movflags", "+faststart", file];
  const encoder = spawn("ffmpeg", argv, { stdio: ["pipe", "ignore", "pipe"] });
  encoder.stderr.pipe(process.stderr);
  encoder.stdin.on("error", () => undefined);
  encoder.on("error", () => {
    console.error("There is no ffmpeg here, and a video cannot be made without. On Debian: apt-get install ffmpeg");
    process.exit(1);
  });
  return encoder;
}

/** Chromium sends a frame when the page changes; each is repeated until the next one's time. Resolves to how many were written. */
async function recordPage(page: DevToolsPage, seconds: number, out: Writable): Promise<number> {
  let shown: Buffer | undefined;
  let written = 0;
  const started = performance.now();
  const show = (frame: Buffer, until: number) => {
    for (; written < until * FRAMES_PER_SECOND; written++) out.write(frame);
  };
  page.on("Page.screencastFrame", (frame) => {
    void page.ask("Page.screencastFrameAck", { sessionId: frame.sessionId }).catch(() => undefined);
    if (shown) show(shown, Math.min(seconds, (performance.now() - started) / 1000));
    shown = Buffer.from(text(frame, "data") ?? "", "base64");
  });
  await page.ask("Page.startScreencast", { format: "jpeg", quality: 80, everyNthFrame: 1 });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await page.ask("Page.stopScreencast");
  show(shown ?? (await picture(page)), seconds);
  return written;
}

/** Of a page that has not changed since before the recording. */
async function picture(page: DevToolsPage): Promise<Buffer> {
  return Buffer.from(text(await page.ask("Page.captureScreenshot", { format: "jpeg" }), "data") ?? "", "base64");
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
