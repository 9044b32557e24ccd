import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { columnsOf, openChoice } from "../../apps/browser-client/src/training/open-choice.ts";

const never = new AbortController().signal;
const rows = Array.from({ length: 150_000 }, (_, i) => `${i},${i / 8},${i % 2 ? "a" : "b"}`);
const table = `id,petal,kind\n${rows.join("\n")}\n`;
const choice = (file: File) => ({ kind: "csv" as const, file, schema: { target: "kind" } });

/** A file that is read in pieces, and counts how much of it has been. */
function counted(content: string): { file: File; read: () => number } {
  const file = new File([content], "table.csv");
  const bytes = new Uint8Array(Buffer.from(content));
  let read = 0;
  file.stream = () =>
    new ReadableStream({
      pull(controller) {
        const piece = bytes.slice(read, read + 16_384);
        read += piece.length;
        if (piece.length === 0) controller.close();
        else controller.enqueue(piece);
      },
    });
  return { file, read: () => read };
}

test("the columns of a table are found in its beginning", async () => {
  const { file, read } = counted(table);
  expect(await columnsOf(file, { header: true, signal: never })).toEqual(["id", "petal", "kind"]);
  expect(read()).toBeLessThan(file.size / 4);
  const packed = new File([gzipSync(table)], "table.csv.gz");
  expect(await columnsOf(packed, { header: false, signal: never })).toEqual(["1", "2", "3"]);
});

test("a header longer than what is read at first is read to its end", async () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `"column\n${i}"`);
  const columns = await columnsOf(new File([`${names.join(",")}\n1\n`], "wide.csv"), { header: true, signal: never });
  expect([columns.length, columns.at(-1)]).toEqual([30_000, "column\n29999"]);
});

test("reading tells in per cent how far it is, each once", async () => {
  const told: number[] = [];
  const { found } = await openChoice(choice(new File([table], "table.csv")), {
    tell: (share) => told.push(share),
    signal: never,
  });
  expect(found.examples).toBe(150_000);
  expect(told.length).toBeGreaterThan(5);
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
  expect(told.every((share) => share > 0 && share <= 1 && Number.isInteger(Math.round(1e6 * share) / 1e4))).toBe(true);
});

test("a reading that is given up ends while the file is read, and while sense is made of it", async () => {
  for (const until of [0, 0.5]) {
    const given = new AbortController();
    const reading = openChoice(choice(new File([table], "table.csv")), {
      tell: (share) => share >= until && given.abort(new Error("something else was chosen")),
      signal: given.signal,
    });
    await expect(reading).rejects.toThrow("something else was chosen");
  }
});

test("a table in UTF-16 is read, one in another encoding is refused", async () => {
  const utf16 = Buffer.from("\uFEFFpetal;kind\n1;ä\n2;b\n", "utf16le");
  const { found } = await openChoice(choice(new File([utf16], "excel.csv")), { tell: () => undefined, signal: never });
  expect(found.classes.map(({ name }) => name)).toEqual(["b", "ä"]);
  const latin = new File([Buffer.from("petal,kind\n1,caf\u00e9\n", "latin1")], "latin.csv");
  const columns = columnsOf(latin, { header: true, signal: never });
  await expect(columns).rejects.toThrow("latin.csv is text in another encoding than UTF-8 or UTF-16");
});

test("a damaged gzip file is called one", async () => {
  const cut = new File([gzipSync(table).subarray(0, 90_000)], "cut.csv.gz");
  const reading = openChoice(choice(cut), { tell: () => undefined, signal: never });
  await expect(reading).rejects.toThrow("cut.csv.gz is a damaged gzip file.");
});

test("how a file begins shows a column without a name as left out", async () => {
  const file = new File(["petal,kind,\n1,a,\n2,b,\n"], "excel.csv");
  const { sample } = await openChoice(choice(file), { tell: () => undefined, signal: never });
  expect(sample!.heads.map(({ use }) => use)).toEqual(["number", "target", "ignore"]);
});
