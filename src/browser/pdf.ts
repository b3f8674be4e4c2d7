import { Failure } from "../core/failure.ts";
import type { FileBytes } from "./access.ts";
import type { Tab } from "./tab.ts";
import { readStream } from "./transfer.ts";
import { factsOf } from "./frame-facts.ts";

/** The page on paper. */
export async function pdf(
  tab: Tab,
  { landscape = false, pages = "" }: { landscape?: boolean; pages?: string },
): Promise<FileBytes> {
  const { client } = factsOf(tab.page.mainFrame());
  const { stream } = await client.send("Page.printToPDF", {
    landscape,
    pageRanges: pages,
    printBackground: true,
    preferCSSPageSize: true,
    transferMode: "ReturnAsStream",
  });
  if (stream === undefined) throw new Failure("upstream", "The page could not be printed.");
  try {
    const bytes = await readStream(client, stream);
    const name = (await tab.page.title()).replace(/[^\w.() -]/g, "_").slice(0, 80) || "page";
    return { name: `${name}.pdf`, mimeType: "application/pdf", data: bytes.toBase64(), bytes: bytes.byteLength };
  } finally {
    await client.send("IO.close", { handle: stream }).catch(() => undefined);
  }
}
