import { createRequire } from "node:module";
import jpeg from "jpeg-js";
import { badData } from "../data/bad-data.ts";

/** An image's pixels, four bytes each, none of them transparent. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly rgba: Uint8Array;
  /** Whether the three colours of every pixel are the same. */
  readonly grey: boolean;
}

interface Decoded {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

// Has no types of its own.
const require = createRequire(import.meta.url);
const { PNG } = require("pngjs") as { PNG: { sync: { read(bytes: Buffer): Decoded } } };

/**
 * Decodes a PNG or JPEG file by its first bytes; what is transparent lies on white, as browsers' readers have it. Throws
 * `ProtocolError("bad_data")` that names the file.
 */
export function decodeImage(bytes: Uint8Array, path: string): Pixels {
  const decode = decoderOf(bytes);
  if (decode === undefined) badData(`${path} is neither a PNG nor a JPEG file`);
  let decoded: Decoded;
  try {
    decoded = decode();
  } catch (cause) {
    return badData(`${path} cannot be decoded: ${(cause as Error).message}`, cause);
  }
  const { height, width, data: rgba } = decoded;
  for (let at = 0; at < rgba.length; at += 4) onWhite(rgba.subarray(at, at + 4));
  let grey = true;
  for (let at = 0; grey && at < rgba.length; at += 4) grey = rgba[at] === rgba[at + 1] && rgba[at] === rgba[at + 2];
  return { height, width, rgba, grey };
}

function decoderOf(bytes: Uint8Array): (() => Decoded) | undefined {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return () => PNG.sync.read(Buffer.from(bytes));
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  return () => jpeg.decode(bytes, { useTArray: true, maxResolutionInMP: 25, maxMemoryUsageInMB: 512 });
}

/** Lays a pixel on white paper, in bytes as a canvas does. */
function onWhite(pixel: Uint8Array): void {
  const alpha = pixel[3]!;
  if (alpha === 255) return;
  for (let channel = 0; channel < 3; channel++)
    pixel[channel] = Math.round((pixel[channel]! * alpha) / 255) + 255 - alpha;
  pixel[3] = 255;
}
