import type { DataSpec } from "@tributary/protocol";
import { denseDataset } from "@tributary/training";
import { words } from "../words.ts";
import type { LabelledFile } from "./messages.ts";
import type { Reading } from "./read-file.ts";
import { refuse } from "./refuse.ts";

/**
 * Reads images whose folder's name is their class, each scaled to `shape` (height, width, 1 or 3 channels), values from 0
 * to 1. Throws `bad_data` that names the file which is no image, or the signal's reason.
 */
export async function readImageFolders(
  files: readonly LabelledFile[],
  { shape, classes }: { readonly shape: DataSpec["shape"]; readonly classes: readonly string[] },
  { tell, signal }: Reading,
) {
  const pixelsOf = imageReader(shape);
  const size = shape.reduce((a, b) => a * b, 1);
  const features = new Float32Array(files.length * size);
  for (const [i, { label, file }] of files.entries()) {
    signal.throwIfAborted();
    features.set(await pixelsOf(file, `${label}/${file.name}`), i * size);
    tell((i + 1) / files.length);
  }
  const labels = Int32Array.from(files, ({ label, file }) => {
    const index = classes.indexOf(label);
    if (index < 0) refuse(words.files.noClass(`${label}/${file.name}`, label, classes));
    return index;
  });
  return { dataset: denseDataset({ features, shape: [...shape], labels, classes: classes.length }), labels };
}

/**
 * Reads one image after the other, each on white paper and scaled to `shape` (height, width, 1 or 3 channels), values from
 * 0 to 1 in steps of 1/255: what `openImages` of packages/training reads of an image of that size. Throws `bad_data` for a shape that no image has, and for a file that is no image, by the name it is given.
 */
export function imageReader(shape: DataSpec["shape"]): (file: File, name: string) => Promise<Float32Array> {
  const [height = 0, width = 0, channels = 0] = shape;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3)) {
    refuse(words.files.notPictures(shape));
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error(words.files.noCanvas);
  return async (file, name) => {
    const bitmap = await createImageBitmap(file).catch(() => refuse(words.files.noPicture(name)));
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Float32Array(height * width * channels);
    for (let at = 0; at < height * width; at++) {
      const [red, green, blue] = [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!];
      // ITU-R BT.601's luma where one channel is wanted.
      if (channels === 1) pixels[at] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue) / 255;
      else pixels.set([red / 255, green / 255, blue / 255], 3 * at);
    }
    return pixels;
  };
}
