import type { Dataset } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { gunzipSync } from "fflate";
import { denseDataset } from "./dense-dataset.ts";

/** The contents of an IDX file of bytes (LeCun's MNIST format): its dimensions, and the values in row-major order. */
export interface Idx {
  readonly dimensions: readonly number[];
  readonly values: Uint8Array;
}

/**
 * Reads an IDX file, gzipped or not; `what` names it in errors. Throws `ProtocolError("bad_data")` on a wrong magic
 * number or a length that is not what the header promises.
 */
export function readIdx(bytes: Uint8Array, what = "The IDX file"): Idx {
  const raw = gunzipped(bytes, what);
  const header = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (raw.length < 4) refuse(`${what} ends after ${raw.length} bytes, before its magic number is complete`);
  const magic = header.getUint32(0);
  const rank = magic & 0xff;
  // Two zero bytes, the element type (8: unsigned bytes), the number of dimensions.
  if (magic >>> 8 !== 8 || rank === 0) {
    refuse(
      `${what} begins with 0x${hex(magic)}; an IDX file of bytes begins with 0x000008 and its number of dimensions`,
    );
  }
  const headerBytes = 4 + 4 * rank;
  if (raw.length < headerBytes) refuse(`${what} ends after ${raw.length} bytes, within its header of ${headerBytes}`);
  const dimensions = Array.from({ length: rank }, (_, i) => header.getUint32(4 + 4 * i));
  const expected = headerBytes + dimensions.reduce((product, size) => product * size, 1);
  if (raw.length !== expected) {
    refuse(
      `${what} has ${raw.length} bytes; its header (${dimensions.join(" × ")}) asks for ${expected}: it is ` +
        `${raw.length < expected ? "truncated" : "followed by something else"}`,
    );
  }
  return { dimensions, values: raw.subarray(headerBytes) };
}

/**
 * MNIST's two files, gzipped or not, as images of height × width × 1 with values from 0 to 1 and ten classes. Throws
 * `ProtocolError("bad_data")` where a file is damaged, the two do not belong together or a label is not a digit.
 */
export function readMnist(files: {
  images: Uint8Array;
  labels: Uint8Array;
}): Dataset & { readonly labels: Uint8Array } {
  const images = readIdx(files.images, "The file of images");
  const { dimensions, values: labels } = readIdx(files.labels, "The file of labels");
  if (images.dimensions.length === 1 && dimensions.length === 3) {
    refuse("The two files are swapped: the file of images holds labels, and the file of labels holds images");
  }
  if (images.dimensions.length !== 3) {
    refuse(
      `The file of images has magic 0x${hex(0x800 + images.dimensions.length)}; expected 0x00000803 (three dimensions)`,
    );
  }
  if (dimensions.length !== 1) {
    refuse(`The file of labels has magic 0x${hex(0x800 + dimensions.length)}; expected 0x00000801 (one dimension)`);
  }
  const [count, height, width] = images.dimensions as [number, number, number];
  if (count !== labels.length) {
    refuse(`There are ${count} images and ${labels.length} labels; the two files do not belong together`);
  }
  const wrong = labels.findIndex((label) => label >= 10);
  if (wrong >= 0) refuse(`The label of image ${wrong} is ${labels[wrong]}; expected 0 to 9`);
  const shape = [height, width, 1];
  return { ...denseDataset({ features: images.values, labels, shape, classes: 10, scale: 1 / 255 }), labels };
}

/** Bytes as they are, or unzipped where they begin as a gzip file does. */
export function gunzipped(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new ProtocolError("bad_data", `${what} is a damaged gzip file: ${(cause as Error).message}.`, { cause });
  }
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

function refuse(detail: string): never {
  throw new ProtocolError("bad_data", `${detail}.`);
}
