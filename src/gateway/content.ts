import { z } from "zod";

/** A message's content as the gateway stores and shows it: a string, or blocks of which we know some. */
const block = z.object({
  type: z.string(),
  text: z.string().optional(),
  name: z.string().optional(),
  artifactId: z.string().optional(),
  mimeType: z.string().optional(),
  sizeBytes: z.number().optional(),
  alt: z.string().optional(),
  /** Tools that are not offered directly are called through "tool_call", which names them: "openclaw:memory-core:memory_search". */
  arguments: z
    .object({ id: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  fileName: z.string().optional(),
});
const message = z.object({ content: z.union([z.string(), z.array(z.unknown())]).optional() });

export interface ImageRef {
  /** Absent for an image the gateway does not hand out, for example one that a tool only read. */
  artifactId: string | undefined;
  mimeType: string | undefined;
  name: string | undefined;
  /** Bytes. */
  size: number | undefined;
}

export interface Content {
  /** Absent when the message has no text block, which is not the same as an empty one. */
  text: string | undefined;
  tools: string[];
  images: ImageRef[];
}

/** Blocks that are not understood are left out: what a message shows is no reason to fail the run it belongs to. */
export function readContent(value: unknown): Content {
  const empty: Content = { text: undefined, tools: [], images: [] };
  const read = message.safeParse(value);
  if (!read.success || read.data.content === undefined) return empty;
  const { content } = read.data;
  if (typeof content === "string") return { ...empty, text: content };
  return content.reduce<Content>((result, item) => {
    const part = block.safeParse(item);
    return part.success ? add(result, part.data) : result;
  }, empty);
}

function add(content: Content, part: z.infer<typeof block>): Content {
  switch (part.type) {
    case "text":
      return { ...content, text: (content.text ?? "") + (part.text ?? "") };
    case "image":
      return {
        ...content,
        images: [
          ...content.images,
          {
            artifactId: part.artifactId,
            mimeType: part.mimeType,
            name: part.alt ?? part.fileName,
            size: part.sizeBytes,
          },
        ],
      };
    case "toolCall":
    case "tool_use":
    case "toolcall":
      return { ...content, tools: [...content.tools, part.arguments?.id?.split(":").at(-1) ?? part.name ?? "tool"] };
  }
  return content;
}
