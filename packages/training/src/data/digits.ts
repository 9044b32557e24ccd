import type { Dataset } from "@tributary/algorithm";
import { type Random, seededRandom } from "@tributary/algorithm";
import { denseDataset } from "./dense-dataset.ts";
import { digitStyles, type Stroke } from "./digit-strokes.ts";
import { blur, drawCurve, type Pen, side } from "./pen.ts";

/**
 * A built-in set of handwritten-looking digits, 28 × 28 × 1, values from 0 to 1, ten classes. Example `i` is a function
 * of `seed`, `split` and `i` alone, so that a longer set begins with the shorter one; the two splits share none.
 */
export function digits(options: {
  count: number;
  seed: number;
  split: "train" | "test";
}): Dataset & { readonly labels: Uint8Array; readonly pixels: Uint8Array } {
  const { count, seed, split } = options;
  const pixels = new Uint8Array(count * side * side);
  const labels = new Uint8Array(count);
  const image = new Float32Array(side * side);
  for (let i = 0; i < count; i++) {
    const random = seededRandom(seed, `digits/${split}/${i}`);
    labels[i] = random.below(10);
    drawDigit(labels[i]!, image, random);
    for (let p = 0; p < image.length; p++) pixels[i * image.length + p] = Math.round(255 * image[p]!);
  }
  const shape = [side, side, 1];
  return { ...denseDataset({ features: pixels, labels, shape, classes: 10, scale: 1 / 255 }), labels, pixels };
}

// The figures below are set so that softmax regression stays below 0.92 and the 2NN gets beyond 0.975 on 10,000 images:
// bench/digits.mjs.

/** Draws one digit, written by a hand of its own, into `image` (28 × 28, from 0 to 1), which it clears first. */
function drawDigit(digit: number, image: Float32Array, random: Random): void {
  image.fill(0);
  const styles = digitStyles[digit]!;
  const place = placement(random);
  const wobble = 0.014 + 0.026 * random.uniform();
  const pen: Pen = {
    radius: 0.9 + random.uniform(),
    pressure: 0.3 * random.uniform(),
    phase: 2 * Math.PI * random.uniform(),
  };
  const strokes = styles[random.below(styles.length)]!;
  // Strokes that begin where another ended stay joined: the wobble of a point is the same in both.
  const moved = new Map<string, [number, number]>();
  for (const stroke of strokes)
    drawCurve(
      image,
      stroke.map((point) => move(point, { moved, place, wobble, random })),
      pen,
    );
  if (random.uniform() < 0.12) speck(image, random);
  if (random.uniform() < 0.35) blur(image, 0.6 * random.uniform());
  const ink = 0.72 + 0.28 * random.uniform();
  for (let i = 0; i < image.length; i++) image[i]! *= ink;
}

type Affine = readonly [xx: number, xy: number, yx: number, yy: number, x: number, y: number];

/** From the box of 1 × 1 to pixels: turned, slanted, stretched and shifted at random. */
function placement(random: Random): Affine {
  const angle = 0.19 * clipped(random);
  const slant = 0.25 * clipped(random) - 0.1;
  const width = 18 * (0.9 + 0.13 * clipped(random));
  const height = 19 * (0.95 + 0.07 * clipped(random));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const centre = side / 2 - 0.5;
  return [
    width * cos,
    height * (slant * cos - sin),
    width * sin,
    height * (slant * sin + cos),
    centre + 1.25 * clipped(random),
    centre + 1.25 * clipped(random),
  ];
}

/** A normal variate cut off at ± 2: a hand's habits vary without bound, but its paper ends. */
const clipped = (random: Random) => Math.max(-2, Math.min(2, random.normal()));

function move(
  point: Stroke[number],
  by: { moved: Map<string, [number, number]>; place: Affine; wobble: number; random: Random },
): [number, number] {
  const key = point.join();
  let result = by.moved.get(key);
  if (result === undefined) {
    const x = point[0] - 0.5 + by.wobble * by.random.normal();
    const y = point[1] - 0.5 + by.wobble * by.random.normal();
    const [xx, xy, yx, yy, dx, dy] = by.place;
    result = [xx * x + xy * y + dx, yx * x + yy * y + dy];
    by.moved.set(key, result);
  }
  return result;
}

/** A trace of something that does not belong to the digit. */
function speck(image: Float32Array, random: Random): void {
  const [x, y] = [side * random.uniform(), side * random.uniform()];
  const [dx, dy] = [2 * random.normal(), 2 * random.normal()];
  drawCurve(
    image,
    [
      [x, y],
      [x + dx, y + dy],
    ],
    { radius: 0.5, pressure: 0, phase: 0 },
  );
}
