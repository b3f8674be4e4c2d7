const TYPES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  mp4: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  wav: "audio/wav",
  pdf: "application/pdf",
  zip: "application/zip",
  gz: "application/gzip",
  json: "application/json",
  csv: "text/csv",
  md: "text/markdown",
  txt: "text/plain",
};

/** By the name's ending alone: what the bot wrote is not looked at, nor is what it says of it. */
export function typeOf(path: string): string {
  return TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";
}

/** Whether a browser can show it without it being able to do anything. */
export function isInert(type: string): boolean {
  return /^(image|video|audio)\//.test(type) || type === "text/plain";
}
