import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Dataset } from "@tributary/algorithm";
import { badData } from "../data/bad-data.ts";
import { denseDataset } from "../data/dense-dataset.ts";
import { decodeImage, type Pixels } from "./decode-image.ts";
import { inMemoryBytes, read } from "./files.ts";
import { type OpenedData, opened, shortened } from "./opened.ts";

export interface ImagesSchema {
  /** HEIGHTxWIDTHxCHANNELS, channels 1 (grey) or 3; default: as the first image has them. */
  readonly size?: string;
  /** The folders' names in the order of their classes; default: those that are there, in the order of their code units. */
  readonly classes?: readonly string[];
}

const imageNames = new Set([".png", ".jpg", ".jpeg"]);

/**
 * Opens a folder with a folder of PNG and JPEG files for each label; values from 0 to 1. Images of another size are refused
 * by name, not stretched; grey and colour become what is asked for. In memory as bytes if they fit, else read when they are
 * wanted. Other files are left alone, and so is what is hidden: names that begin with a point.
 */
export async function openImages(folder: string, schema: ImagesSchema): Promise<OpenedData> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) =>
    badData(`${folder} cannot be read: ${cause.message}`, cause),
  );
  const folders = entries.filter((entry) => entry.isDirectory() && !isHidden(entry.name)).map(({ name }) => name);
  const classes = schema.classes ?? folders.sort();
  if (classes.length < 2) badData(`${folder} needs a folder for each label, at least two; found ${shortened(classes)}`);
  const files: { path: string; label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    if (!folders.includes(name)) continue;
    const names = (await readdir(join(folder, name)))
      .filter((file) => imageNames.has(extname(file).toLowerCase()) && !isHidden(file))
      .sort();
    files.push(...names.map((file) => ({ path: join(folder, name, file), label })));
  }
  const [first] = files;
  if (first === undefined) badData(`${folder} has no .png, .jpg or .jpeg file in ${shortened(classes)}`);
  const shape = schema.size === undefined ? shapeOf(await load(first.path)) : parseSize(schema.size);
  const labels = Int32Array.from(files, ({ label }) => label);
  const size = shape[0] * shape[1] * shape[2];
  const pixels = async (index: number) => fitted(await load(files[index]!.path), shape, files[index]!.path);
  const dataset: Dataset =
    files.length * size <= inMemoryBytes()
      ? await kept()
      : { examples: files.length, shape, classes: classes.length, batch };
  return opened("images", dataset, { labels, name: `${folder}, classes ${shortened(classes)}` });

  async function kept(): Promise<Dataset> {
    const features = new Uint8Array(files.length * size);
    for (let i = 0; i < files.length; i++) features.set(await pixels(i), i * size);
    return denseDataset({ features, labels, shape, classes: classes.length, scale: 1 / 255 });
  }
  async function batch(...[positions, features, targets]: Parameters<Dataset["batch"]>): Promise<void> {
    for (let row = 0; row < positions.length; row++) {
      const bytes = await pixels(positions[row]!);
      for (let i = 0; i < size; i++) features[row * size + i] = bytes[i]! / 255;
      targets[row] = labels[positions[row]!]!;
    }
  }
}

/** macOS puts a file `._a.png`, which is no image, beside each `a.png` on other systems' disks. */
const isHidden = (name: string) => name.startsWith(".");

type Shape = readonly [height: number, width: number, channels: number];

const load = async (path: string) => decodeImage(await read(path), path);
const shapeOf = ({ height, width, grey }: Pixels): Shape => [height, width, grey ? 1 : 3];

function parseSize(text: string): Shape {
  const [, height, width, channels] =
    /^(\d{1,4})x(\d{1,4})x([13])$/.exec(text) ?? badData(`size is "${text}"; HEIGHTxWIDTHx1 or x3 is wanted`);
  return [Number(height), Number(width), Number(channels)];
}

/** An image's bytes in a shape's channels. */
function fitted({ rgba, height, width }: Pixels, shape: Shape, path: string): Uint8Array {
  if (height !== shape[0] || width !== shape[1]) {
    badData(`${path} is ${height}x${width}; images of ${shape[0]}x${shape[1]} are wanted`);
  }
  const channels = shape[2];
  const bytes = new Uint8Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [red, green, blue] = [rgba[4 * pixel]!, rgba[4 * pixel + 1]!, rgba[4 * pixel + 2]!];
    // ITU-R BT.601, luma.
    if (channels === 1) bytes[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else bytes.set([red, green, blue], 3 * pixel);
  }
  return bytes;
}
