import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openData, schemaQuery } from "@tributary/training/node";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tributary-source-"));
const file = join(folder, "table.csv");

beforeAll(() => {
  const rows = Array.from({ length: 12 }, (_, i) => `${i},${i % 2 === 0 ? "red" : "blue"},${i % 3}`);
  writeFileSync(file, `id,colour,label\n${rows.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const query = schemaQuery({ target: "label", ignore: ["id"], categorical: ["colour"] });

test("a source carries its schema, and its parts are every fifth row and the rest", async () => {
  const [all, train, held] = await Promise.all(
    ["", "#train", "#test"].map((part) => openData({ source: `csv:${file}${query}${part}` })),
  );
  expect(all!.data).toEqual({ kind: "table", shape: [2], classes: 3 });
  expect([all, train, held].map((opened) => opened!.dataset.examples)).toEqual([12, 9, 3]);
  expect([...Array.from(held!.labels)]).toEqual([0, 5 % 3, 10 % 3]);
});

test("a part of generated digits is a part", async () => {
  const held = await openData({ source: "digits#test", examples: 11, seed: 3 });
  const all = await openData({ source: "digits", examples: 11, seed: 3 });
  expect(Array.from(held.labels)).toEqual([0, 5, 10].map((row) => all.labels[row]));
});

test.each([
  [`csv:${file}?ignore=id`, /no target/],
  [`csv:${file}?target=label&foo=1`, /"foo"/],
  ["parquet:x", /not a source of data; there are digits/],
])("refuses %s", async (source, message) => {
  await expect(openData({ source })).rejects.toMatchObject({
    code: "bad_data",
    message: expect.stringMatching(message),
  });
});
