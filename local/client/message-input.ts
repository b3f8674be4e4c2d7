import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { Failure } from "../../src/core/failure.ts";
import type { Message } from "./talk.ts";
import { STATE_FOLDER } from "./target.ts";

export interface ChatInput {
  message: Message;
  url: string | undefined;
  json: boolean;
  /** Folder of the Moltbot's state: what runs, the password, the tokens. */
  state: string;
}

const USAGE = `npm run chat -- [--conversation name] [--image file]… [--url https://…] [--json] "message"   ("-" reads it from stdin)`;

const IMAGE_TYPES: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
};

/** The server takes about 10 MB of attachments in one message. */
const MOST_IMAGE_BYTES = 10_000_000;

/** The command line of `npm run chat`, with the image files and stdin it names. */
export async function readChatInput(argv: readonly string[], stdin: NodeJS.ReadableStream): Promise<ChatInput> {
  const { values, positionals } = parse(argv);
  const words = positionals.join(" ");
  const said = words === "-" ? (await text(stdin)).trimEnd() : words;
  if (said.trim() === "") throw new Failure("invalid_input", "There is no message.", { hint: USAGE });
  const attachments = await Promise.all((values.image ?? []).map(attachment));
  return {
    message: {
      text: said,
      ...(values.conversation === undefined ? {} : { conversation: values.conversation }),
      ...(attachments.length === 0 ? {} : { attachments }),
    },
    url: values.url,
    json: values.json,
    state: values.state,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        conversation: { type: "string" },
        image: { type: "string", multiple: true },
        url: { type: "string" },
        json: { type: "boolean", default: false },
        state: { type: "string", default: STATE_FOLDER },
      },
    });
  } catch (error) {
    throw new Failure("invalid_input", error instanceof Error ? error.message : "Bad arguments.", { hint: USAGE });
  }
}

async function attachment(path: string) {
  const mime_type = IMAGE_TYPES[extname(path).toLowerCase()];
  if (mime_type === undefined) {
    throw new Failure("invalid_input", `${path} is no image that can be sent.`, {
      hint: `Its name must end in ${Object.keys(IMAGE_TYPES).join(", ")}.`,
    });
  }
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new Failure("not_found", `There is no file ${path}.`);
  if (found.size > MOST_IMAGE_BYTES) throw new Failure("too_large", `${path} is larger than 10 MB.`);
  return { mime_type, data: (await readFile(path)).toString("base64"), name: basename(path) };
}
