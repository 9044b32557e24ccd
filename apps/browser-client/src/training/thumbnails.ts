import type { OpenedData } from "./open-choice.ts";

const cell = 56;
const caption = 16;

/**
 * Draws some of the images with their classes' names on a canvas that the page shows: no example is sent to the page for
 * that. (Its code could still read back what the canvas shows; it does not.)
 */
export async function drawThumbnails(canvas: OffscreenCanvas, { dataset, found }: OpenedData): Promise<void> {
  const [height = 1, width = 1, channels = 1] = dataset.shape;
  const columns = Math.floor(canvas.width / cell);
  const count = Math.min(dataset.examples, columns * Math.floor(canvas.height / (cell + caption)));
  const features = new Float32Array(count * height * width * channels);
  const targets = new Int32Array(count);
  // Spread over the set: the first ones are often all of one class.
  const positions = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * dataset.examples) / count));
  await dataset.batch(positions, features, targets);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.imageSmoothingEnabled = false;
  Object.assign(context, { font: "12px sans-serif", textAlign: "center", fillStyle: "#808a94" });
  for (let i = 0; i < count; i++) {
    const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * (cell + caption)];
    const size = height * width * channels;
    const one = imageOf(features.subarray(i * size, (i + 1) * size), { height, width, channels });
    const small = new OffscreenCanvas(width, height);
    small.getContext("2d")?.putImageData(one, 0, 0);
    context.drawImage(small, x + 2, y + 2, cell - 4, cell - 4);
    context.fillText(found.classes[targets[i]!]?.name ?? "", x + cell / 2, y + cell + 11, cell);
  }
}

/** Values from their least to their most, as brightness. */
function imageOf(values: Float32Array, of: { height: number; width: number; channels: number }): ImageData {
  const least = values.reduce((a, c) => Math.min(a, c), Number.POSITIVE_INFINITY);
  const most = values.reduce((a, c) => Math.max(a, c), Number.NEGATIVE_INFINITY);
  const image = new ImageData(of.width, of.height);
  const shade = (value: number) => (255 * (value - least)) / (most - least || 1);
  for (let at = 0; at < of.width * of.height; at++) {
    const colour = [0, 1, 2].map((channel) => shade(values[at * of.channels + (channel % of.channels)]!));
    image.data.set([...colour, 255], 4 * at);
  }
  return image;
}
