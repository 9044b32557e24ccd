import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkFits, denseDataset, digits, readCsv, readIdx, readMnist, subset } from "@tributary/training";
import { openData } from "@tributary/training/node";
import { gzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { missingSet, testThatNeeds } from "../support/needs.ts";
import { sharedData } from "../support/shared-data.ts";

const idx = (magic: number, dimensions: number[], values: number[]) => {
  const header = new DataView(new ArrayBuffer(4 + 4 * dimensions.length));
  header.setUint32(0, magic);
  dimensions.forEach((size, i) => {
    header.setUint32(4 + 4 * i, size);
  });
  return new Uint8Array([...new Uint8Array(header.buffer), ...values]);
};
const images = idx(0x803, [3, 2, 2], [0, 51, 102, 153, 204, 255, 0, 0, 1, 2, 3, 4]);
const labels = idx(0x801, [3], [7, 0, 9]);

async function rows(dataset: Awaited<ReturnType<typeof openData>>["dataset"], positions: number[]) {
  const width = dataset.shape.reduce((a, b) => a * b, 1);
  const features = new Float32Array(positions.length * width);
  const classes = new Int32Array(positions.length);
  await dataset.batch(Uint32Array.from(positions), features, classes);
  return { features: [...features], labels: [...classes] };
}

test("images are read as fractions of white, by position", async () => {
  const mnist = readMnist({ images, labels: gzipSync(labels) });
  expect([mnist.examples, mnist.shape, mnist.classes]).toEqual([3, [2, 2, 1], 10]);
  const read = await rows(mnist, [1, 0]);
  expect(read.labels).toEqual([0, 7]);
  expect(read.features.map((value) => Math.round(value * 255))).toEqual([204, 255, 0, 0, 0, 51, 102, 153]);
  expect(read.features[1]).toBe(1);
});

test("a subset reads through to its rows", async () => {
  const whole = readMnist({ images, labels });
  const half = subset(whole, Uint32Array.of(2, 0));
  expect(half.examples).toBe(2);
  expect(await rows(half, [0, 1])).toEqual(await rows(whole, [2, 0]));
});

test.each([
  ["a wrong magic number", () => readIdx(idx(0x1803, [1], [1])), "begins with 0x00001803"],
  ["other elements than bytes", () => readIdx(idx(0x0d01, [1], [1])), "begins with 0x00000d01"],
  [
    "a file that ends early",
    () => readIdx(images.subarray(0, 20)),
    "has 20 bytes; its header (3 × 2 × 2) asks for 28: it is truncated",
  ],
  ["a header that ends early", () => readIdx(images.subarray(0, 9)), "within its header of 16"],
  ["trailing bytes", () => readIdx(new Uint8Array([...labels, 0])), "followed by something else"],
  ["a damaged gzip file", () => readIdx(gzipSync(images).subarray(0, 15)), "damaged gzip"],
  ["labels in the place of images", () => readMnist({ images: labels, labels }), "expected 0x00000803"],
  ["images in the place of labels", () => readMnist({ images, labels: images }), "expected 0x00000801"],
  [
    "files that do not belong together",
    () => readMnist({ images, labels: idx(0x801, [2], [1, 2]) }),
    "3 images and 2 labels",
  ],
  ["a pair that is swapped", () => readMnist({ images: idx(0x801, [2], [1, 2]), labels: images }), "files are swapped"],
  ["a label beyond 9", () => readMnist({ images, labels: idx(0x801, [3], [1, 10, 2]) }), "image 1 is 10"],
])("%s is refused", (_, read, detail) => {
  expect(read).toThrow(expect.objectContaining({ code: "bad_data", message: expect.stringContaining(detail) }));
});

testThatNeeds(missingSet("mnist"), "MNIST's own files hold what LeCun says they hold", async () => {
  const train = await openData({ source: `mnist:${sharedData}/mnist` });
  const held = await openData({ source: `mnist-test:${sharedData}/mnist` });
  const count = (labels: ArrayLike<number>) =>
    Array.from({ length: 10 }, (_, digit) => Array.from(labels).filter((label) => label === digit).length);
  expect(train.data).toEqual({ kind: "images", shape: [28, 28, 1], target: "class", classes: 10 });
  expect(count(train.labels!)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  expect(count(held.labels!)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
});

test("a table's words become 0 or 1, its numbers stay, its target becomes classes in order", async () => {
  const text =
    '\uFEFF"",age,"town, or village",note,kind\r\n1,40,York,x,no\r\n2,3.5,"Ba""th",y,yes\r\n3,-1e2,York,"z\r\nz",no\r\n';
  const table = readCsv(text, { target: "kind", ignore: ["note"], categorical: ["town, or village"] });
  expect(table.features).toEqual(["age", 'town, or village=Ba"th', "town, or village=York"]);
  expect(table.classes).toEqual(["no", "yes"]);
  expect(await rows(table.dataset, [0, 1, 2])).toEqual({
    features: [40, 0, 1, 3.5, 1, 0, -100, 0, 1],
    labels: [0, 1, 0],
  });
});

test("numeric classes are in numeric order, declared ones in their own", () => {
  const text = "x,y\n1,10\n1,9\n1,-1\n";
  expect(readCsv(text, { target: "y" }).classes).toEqual(["-1", "9", "10"]);
  const declared = readCsv(text, { target: "y", classes: ["9", "10", "-1", "0"] });
  expect([...declared.labels!]).toEqual([1, 0, 2]);
  expect(declared.dataset.classes).toBe(4);
});

test("declared categories give every device the same features", () => {
  const schema = { target: "y", categories: { x: ["a", "b", "c"] } };
  expect(readCsv("x,y\nb,0\nb,1\n", schema).features).toEqual(["x=a", "x=b", "x=c"]);
  expect(() => readCsv("x,y\nb,0\nd,1\n", schema)).toThrow('Line 3, column "x" is "d"; its categories are a, b, c');
});

test.each([
  ["a missing value", "x,y\n1,0\n,1\n", 'Line 3, column "x" has no value'],
  ["a missing target", "x,y\n1,0\n2,\n", 'Line 3, column "y" has no value'],
  ["a missing value after a value of two lines", 'x,z,y\n1,"a\nb",0\n,c,1\n', 'Line 4, column "x" has no value'],
  ["a word among numbers", "x,y\n1,0\ntwo,1\n", 'Line 3, column "x" is "two", not a number'],
  ["an infinite number", "x,y\n1,0\n1e300,1\n", 'Line 3, column "x" is "1e300", not a number'],
  ["a line with too many values", "x,y\n1,0\n1,2,3\n", "Line 3 has 3 values; line 1 has 2"],
  ["an open quote", 'x,y\n1,"0\n', "not well-formed CSV"],
  ["no such target", "x,z\n1,0\n", 'no column "y" (target); line 1 names x, z'],
  ["a column named twice", "x,x,y\n1,1,0\n", 'names the column "x" twice'],
  ["one class only", "x,y\n1,0\n2,0\n", 'one value only, "0"'],
  ["no rows", "x,y\n", "at least one row"],
  ["no features", "y\n1\n0\n", "No feature columns"],
])("a table with %s is refused", (_, text, detail) => {
  expect(() => readCsv(text, { target: "y", ignore: [], categorical: text.startsWith("x,z,y") ? ["z"] : [] })).toThrow(
    expect.objectContaining({ code: "bad_data", message: expect.stringContaining(detail) }),
  );
});

test("a target outside the declared classes is refused", () => {
  expect(() => readCsv("x,y\n1,a\n", { target: "y", classes: ["b", "c"] })).toThrow(
    'Line 2, column "y" is "a"; the classes are b, c',
  );
});

test("a digit depends on seed, split and index alone", () => {
  const few = digits({ count: 20, seed: 4, split: "train" });
  const many = digits({ count: 60, seed: 4, split: "train" });
  expect(many.pixels.slice(0, few.pixels.length)).toEqual(few.pixels);
  expect(many.labels.slice(0, 20)).toEqual(few.labels);
  expect(digits({ count: 20, seed: 4, split: "test" }).pixels).not.toEqual(few.pixels);
  expect(digits({ count: 20, seed: 5, split: "train" }).pixels).not.toEqual(few.pixels);
});

test("digits are ink on paper: every class occurs, strokes are bright, most of the sheet is empty", () => {
  const { pixels, labels, classes, shape } = digits({ count: 1000, seed: 1, split: "train" });
  expect([classes, shape]).toEqual([10, [28, 28, 1]]);
  for (let digit = 0; digit < 10; digit++) expect(labels.filter((label) => label === digit).length).toBeGreaterThan(60);
  for (let i = 0; i < 1000; i++) {
    const image = pixels.subarray(i * 784, (i + 1) * 784);
    expect(Math.max(...image)).toBeGreaterThan(100);
    const inked = image.filter((pixel) => pixel > 60).length;
    expect(inked).toBeGreaterThan(15);
    expect(inked).toBeLessThan(350);
  }
});

test("data of another shape than the run's is refused in words", () => {
  const asked = { kind: "images" as const, shape: [32, 32, 3], target: "class" as const, classes: 100 };
  expect(() => checkFits({ kind: "images", shape: [28, 28, 1], target: "class", classes: 10 }, asked)).toThrow(
    expect.objectContaining({
      code: "data_mismatch",
      message: "images of 28×28×1 with 10 classes found; the run asks for images of 32×32×3 with 100 classes.",
    }),
  );
  expect(() => checkFits(asked, asked)).not.toThrow();
  expect(() => checkFits({ ...asked, kind: "table" }, asked)).toThrow("a table with rows of 32×32×3");
});

test("features that do not fill the examples are refused", () => {
  const labels = Int32Array.of(0, 1);
  expect(() => denseDataset({ features: new Float32Array(5), labels, shape: [3], classes: 2 })).toThrow(
    "5 feature values do not make 2 examples of 3",
  );
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tributary-training-"));
  await writeFile(join(folder, "train-images-idx3-ubyte"), images);
  await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), gzipSync(labels));
  await writeFile(join(folder, "table.csv.gz"), gzipSync(new TextEncoder().encode("\uFEFFx,z,y\n1,a,0\n2,b,1\n")));
  await writeFile(join(folder, "schema.json"), JSON.stringify({ target: "y", categorical: ["z"] }));
  await writeFile(join(folder, "bad-schema.json"), JSON.stringify({ target: "y", categoricals: ["z"] }));
});
afterAll(() => rm(folder, { recursive: true }));

test("sources open by name", async () => {
  const built = await openData({ source: "digits", examples: 12, seed: 2 });
  expect(built.describe).toBe("built-in digits (train, seed 2): 12 examples of 28×28×1, 10 classes");
  expect(built.labels).toEqual(digits({ count: 12, seed: 2, split: "train" }).labels);
  const held = await openData({ source: "digits-test", examples: 12, seed: 2 });
  expect(held.labels).toEqual(digits({ count: 12, seed: 2, split: "test" }).labels);
  const mnist = await openData({ source: `mnist:${folder}` });
  expect(mnist.data).toEqual({ kind: "images", shape: [2, 2, 1], target: "class", classes: 10 });
  const schema = join(folder, "schema.json");
  const table = await openData({ source: `csv:${folder}/table.csv.gz`, schema });
  expect(table.data).toEqual({ kind: "table", shape: [3], target: "class", classes: 2 });
  expect(table.describe).toContain("features x, z=a, z=b, classes 0, 1: 2 examples of 3, 2 classes");
});

test.each(["utf-16le", "utf-16be"])("a table in %s is read by its byte order mark", async (encoding) => {
  const bytes = Buffer.from("\uFEFFx\ty\n1\tä\n2\tb\n", "utf16le");
  const path = join(folder, `${encoding}.txt`);
  await writeFile(path, encoding === "utf-16be" ? bytes.swap16() : bytes);
  const { describe } = await openData({ source: `csv:${path}`, schema: { target: "y" } });
  expect(describe).toContain("features x, classes b, ä: 2 examples");
});

test.each([
  ["an unknown source", { source: "imagenet:/x" }, '"imagenet:/x" is not a source of data; there are digits[:COUNT],'],
  ["a source without its folder", { source: "mnist" }, "mnist:DIR"],
  ["a folder that is not there", { source: "mnist:/nowhere" }, "neither /nowhere/train-images-idx3-ubyte nor"],
  ["a file that is not there", { source: "csv:/nowhere.csv", schema: { target: "y" } }, "/nowhere.csv cannot be read"],
  ["no digits at all", { source: "digits", examples: 0 }, "0 digits were asked for"],
])("%s is refused", async (_, options, detail) => {
  await expect(openData(options)).rejects.toMatchObject({ code: "bad_data", message: expect.stringContaining(detail) });
});

test("what is wrong inside a file is told with its path", async () => {
  await expect(openData({ source: `csv:${folder}/table.csv.gz`, schema: { target: "y" } })).rejects.toThrow(
    `${folder}/table.csv.gz: Line 2, column "z" is "a", not a number`,
  );
  await expect(
    openData({ source: `csv:${folder}/table.csv.gz`, schema: join(folder, "bad-schema.json") }),
  ).rejects.toThrow('no option "categoricals"; known are target');
});
