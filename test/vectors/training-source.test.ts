import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openData, sourceQuery } from "@tributary/training/node";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tributary-source-"));
const file = join(folder, "table.csv");

beforeAll(() => {
  const rows = Array.from({ length: 12 }, (_, i) => `${i},${i % 2 === 0 ? "red" : "blue"},${i % 3}`);
  writeFileSync(file, `id,colour,label\n${rows.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const query = sourceQuery({ target: "label", ignore: ["id"], categorical: ["colour"] });

test("a source carries its schema, and its parts are every fifth row and the rest", async () => {
  const [all, train, held] = await Promise.all(
    ["", "#train", "#test"].map((part) => openData({ source: `csv:${file}${query}${part}` })),
  );
  expect(all!.data).toEqual({ kind: "table", shape: [2], target: "class", classes: 3 });
  expect([all, train, held].map((opened) => opened!.dataset.examples)).toEqual([12, 9, 3]);
  expect([...Array.from(held!.labels!)]).toEqual([0, 5 % 3, 10 % 3]);
});

test("a part of generated digits is a part", async () => {
  const held = await openData({ source: "digits#test", examples: 11, seed: 3 });
  const all = await openData({ source: "digits", examples: 11, seed: 3 });
  expect(Array.from(held.labels!)).toEqual([0, 5, 10].map((row) => all.labels![row]));
});

test("generated digits are as many as their source says, and else as many as was asked", async () => {
  const drawn = async (source: string) => (await openData({ source, examples: 7 })).dataset.examples;
  expect([await drawn("digits:12"), await drawn("digits-test:5"), await drawn("digits")]).toEqual([12, 5, 7]);
});

test.each([
  ["digits:many", /NaN digits were asked for; between 1 and 1000000/],
  ["digits-test:0", /0 digits were asked for/],
  [`csv:${file}?target=label&foo=1`, /there is no option "foo"; known are target, /],
  [`csv:${file}?features=3`, /"features" belongs to libsvm; csv has target, /],
  [`csv:${file}?missing=perhaps`, /"missing" must be one of refuse, skip, mean; found "perhaps"/],
  [`csv:${file}?targetKind=number`, /not which column it is/],
  [`libsvm:${file}?features=many`, /"features" must be a whole number from 1/],
  ["parquet:x", /not a source of data; there are digits/],
])("refuses %s", async (source, message) => {
  await expect(openData({ source })).rejects.toMatchObject({
    code: "bad_data",
    message: expect.stringMatching(message),
  });
});
