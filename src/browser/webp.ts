/** Builds an animated WebP from still ones: the container is simple, and every browser plays it. */

export interface StillFrame {
  webp: Uint8Array;
  ms: number;
}

/** Frames of one size, shown one after the other, again and again. */
export function animated(frames: readonly StillFrame[], width: number, height: number): Uint8Array {
  const header = new Uint8Array(10);
  header[0] = 0b0000_0010;
  header.set(uint24(width - 1), 4);
  header.set(uint24(height - 1), 7);
  const parts = [chunk("VP8X", header), chunk("ANIM", new Uint8Array(6))];
  for (const { webp, ms } of frames) {
    const bits = picture(webp);
    const info = new Uint8Array(16);
    info.set(uint24(width - 1), 6);
    info.set(uint24(height - 1), 9);
    info.set(uint24(Math.min(Math.max(1, Math.round(ms)), 0xffffff)), 12);
    // Each replaces the one before: no blending.
    info[15] = 0b0000_0010;
    parts.push(chunk("ANMF", joined([info, bits])));
  }
  return riff(joined(parts));
}

/** The chunk of a still WebP that holds its pixels, with its header. */
function picture(webp: Uint8Array): Uint8Array {
  const view = new DataView(webp.buffer, webp.byteOffset, webp.byteLength);
  for (let at = 12; at + 8 <= webp.byteLength;) {
    const name = String.fromCharCode(...webp.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size % 2);
    if (name === "VP8 " || name === "VP8L") return webp.subarray(at, end);
    at = end;
  }
  throw new TypeError("There is no picture in it.");
}

/** The size a still WebP has. */
export function sizeOf(webp: Uint8Array): { width: number; height: number } {
  const bits = picture(webp);
  const view = new DataView(bits.buffer, bits.byteOffset, bits.byteLength);
  if (bits[3] === 0x20) return { width: view.getUint16(14, true) & 0x3fff, height: view.getUint16(16, true) & 0x3fff };
  const packed = view.getUint32(9, true);
  return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(8 + data.byteLength + (data.byteLength % 2));
  result.set(new TextEncoder().encode(name));
  new DataView(result.buffer).setUint32(4, data.byteLength, true);
  result.set(data, 8);
  return result;
}

function riff(data: Uint8Array): Uint8Array {
  return chunk("RIFF", joined([new TextEncoder().encode("WEBP"), data]));
}

function uint24(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.byteLength;
  }
  return result;
}
