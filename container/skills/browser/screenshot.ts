import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openPage, parseSize, text } from "./devtools.ts";

const USAGE = "Usage: node screenshot.ts <address or tab id> <file.png> [--full] [--size 1280x720]";

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { full: { type: "boolean" }, size: { type: "string" } },
  });
  const [target, file] = positionals;
  if (target === undefined || file === undefined) throw new Error(USAGE);
  const page = await openPage(target, values.size === undefined ? undefined : parseSize(values.size));
  try {
    const format = /\.jpe?g$/i.test(file) ? "jpeg" : "png";
    const options = { format, captureBeyondViewport: values.full ?? false };
    const data = text(await page.ask("Page.captureScreenshot", { ...options, ...(await wholePage()) }), "data") ?? "";
    const bytes = Buffer.from(data, "base64");
    writeFileSync(file, bytes);
    console.log(`${file}: ${bytes.byteLength} bytes`);
  } finally {
    await page.close();
  }

  async function wholePage() {
    if (!values.full) return {};
    const { cssContentSize } = await page.ask("Page.getLayoutMetrics");
    return typeof cssContentSize === "object" ? { clip: { ...cssContentSize, scale: 1 } } : {};
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
