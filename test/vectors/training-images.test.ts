import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openData } from "@tributary/training/node";
import { afterAll, beforeAll, expect, test } from "vitest";

const ofTraining = createRequire(new URL("../../packages/training/package.json", import.meta.url));
const { PNG } = ofTraining("pngjs");
const jpeg = ofTraining("jpeg-js");
const folder = mkdtempSync(join(tmpdir(), "tributary-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Colour = readonly [number, number, number];
const pixels = (width: number, height: number, colour: Colour) =>
  Buffer.from(Array.from({ length: width * height }, () => [...colour, 255]).flat());

function png(width: number, height: number, colour: Colour): Buffer {
  const image = new PNG({ width, height });
  image.data = pixels(width, height, colour);
  return PNG.sync.write(image);
}

beforeAll(() => {
  for (const name of ["cat", "dog", "odd"]) mkdirSync(join(folder, "pets", name), { recursive: true });
  const put = (name: string, bytes: Buffer) => writeFileSync(join(folder, "pets", name), bytes);
  put("cat/1.png", png(3, 2, [51, 51, 51]));
  put("cat/notes.txt", Buffer.from("not an image"));
  put("dog/1.jpg", jpeg.encode({ width: 3, height: 2, data: pixels(3, 2, [255, 0, 0]) }, 100).data);
  put("odd/1.png", png(2, 2, [0, 0, 0]));
  put("odd/2.png", Buffer.from("GIF89a"));
  put("odd/3.png", png(3, 2, [0, 0, 0]).subarray(0, 40));
});

const open = async (query: string) => {
  const { dataset, data } = await openData({ source: `images:${join(folder, "pets")}?${query}` });
  const features = new Float32Array(dataset.examples * dataset.shape.reduce((a, b) => a * b));
  const labels = new Int32Array(dataset.examples);
  await dataset.batch(
    Uint32Array.from(labels, (_, i) => i),
    features,
    labels,
  );
  return { data, features, labels: [...labels] };
};

test("a folder for each label, PNG and JPEG, grey and colour", async () => {
  const grey = await open("classes=cat,dog");
  expect(grey.data).toEqual({ kind: "images", shape: [2, 3, 1], target: "class", classes: 2 });
  expect(grey.labels).toEqual([0, 1]);
  expect(grey.features[0]).toBeCloseTo(0.2, 6);
  expect(grey.features[6]).toBeCloseTo(0.3, 1);
  const colour = await open("classes=cat,dog&size=2x3x3");
  expect(colour.data.shape).toEqual([2, 3, 3]);
  expect([...colour.features.subarray(18, 21)].map(Math.round)).toEqual([1, 0, 0]);
});

test("what is no image of the declared size is refused by its name", async () => {
  await expect(open("classes=cat,odd")).rejects.toThrow(/odd\/1.png is 2x2; images of 2x3 are wanted/);
  rmSync(join(folder, "pets/odd/1.png"));
  await expect(open("classes=cat,odd")).rejects.toThrow(/odd\/2.png is neither a PNG nor a JPEG file/);
  rmSync(join(folder, "pets/odd/2.png"));
  await expect(open("classes=cat,odd")).rejects.toThrow(/odd\/3.png cannot be decoded/);
  await expect(open("size=big")).rejects.toThrow('size is "big"; HEIGHTxWIDTHx1 or x3 is wanted');
  await expect(openData({ source: `images:${folder}` })).rejects.toThrow("a folder for each label, at least two");
  await expect(openData({ source: "images:/nowhere" })).rejects.toThrow("/nowhere cannot be read");
});

test("what is transparent lies on white paper, in bytes as a canvas has them", async () => {
  const image = new PNG({ width: 3, height: 2 });
  image.data = Buffer.from([255, 128, 64, 1, 0, 200].flatMap((alpha) => [0, 10, 200, alpha]));
  mkdirSync(join(folder, "pets", "ink"));
  writeFileSync(join(folder, "pets/ink/1.png"), PNG.sync.write(image));
  const { features } = await open("classes=cat,ink&size=2x3x3");
  const paper = (ink: number, alpha: number) => Math.round((ink * alpha) / 255) + 255 - alpha;
  const expected = [255, 128, 64, 1, 0, 200].flatMap((alpha) => [0, 10, 200].map((ink) => paper(ink, alpha)));
  expect([...features.subarray(18)].map((value) => Math.round(255 * value))).toEqual(expected);
});

test("hidden files and folders are passed over, whatever their names end in", async () => {
  mkdirSync(join(folder, "hidden", ".thumbs"), { recursive: true });
  for (const name of ["cat", "dog"]) {
    mkdirSync(join(folder, "hidden", name));
    writeFileSync(join(folder, "hidden", name, "a.png"), png(3, 2, [9, 9, 9]));
    writeFileSync(join(folder, "hidden", name, "._a.png"), "AppleDouble");
  }
  const { dataset, data } = await openData({ source: `images:${join(folder, "hidden")}` });
  expect([dataset.examples, data.classes]).toEqual([2, 2]);
});
