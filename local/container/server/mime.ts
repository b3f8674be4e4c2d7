import { extname } from "node:path";

/** Kinds the SDK's users meet. Anything else is told by its first bytes. */
const TYPE_OF_EXTENSION: Record<string, string> = {
  ".css": "text/css",
  ".csv": "text/csv",
  ".gif": "image/gif",
  ".gz": "application/gzip",
  ".htm": "text/html",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".js": "text/javascript",
  ".json": "application/json",
  ".md": "text/markdown",
  ".mjs": "text/javascript",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".py": "text/x-python",
  ".sh": "application/x-sh",
  ".svg": "image/svg+xml",
  ".toml": "application/toml",
  ".ts": "application/typescript",
  ".txt": "text/plain",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".zip": "application/zip",
};

const TEXT_APPLICATION = /^application\/(json|toml|typescript|x-sh|xml|yaml|.*\+(json|xml))$/;

export interface ContentKind {
  mimeType: string;
  isBinary: boolean;
}

/** The kind of a file by its name, or by its first bytes when the name says nothing: text is UTF-8 without a NUL. */
export function contentKind(path: string, start: Buffer): ContentKind {
  const known = TYPE_OF_EXTENSION[extname(path).toLowerCase()];
  if (known !== undefined) {
    return {
      mimeType: known,
      isBinary: !(known.startsWith("text/") || known.endsWith("+xml") || TEXT_APPLICATION.test(known)),
    };
  }
  if (start.length === 0) return { mimeType: "inode/x-empty", isBinary: false };
  const isBinary = start.includes(0) || !isUtf8Start(start);
  return { mimeType: isBinary ? "application/octet-stream" : "text/plain", isBinary };
}

/** `stream: true` accepts a character that the cut at the end of `start` has split. */
function isUtf8Start(start: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    return false;
  }
}
