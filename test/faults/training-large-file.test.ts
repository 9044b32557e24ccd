import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tributary-large-"));
afterAll(() => rmSync(folder, { recursive: true }));
const heapMegabytes = 64;

/** Writes lines until the file is larger than the heap that its reader gets. */
function largeFile(name: string, head: string, lineOf: (row: number) => string): { path: string; lines: number } {
  const path = join(folder, name);
  const file = openSync(path, "w");
  writeSync(file, head);
  let lines = 0;
  while (statSync(path).size <= heapMegabytes * 1024 ** 2) {
    const part = Array.from({ length: 20_000 }, (_, i) => lineOf(lines + i));
    writeSync(file, part.join(""));
    lines += part.length;
  }
  closeSync(file);
  return { path, lines };
}

/** What test/support/read-on-little-memory.mjs printed. */
async function readOnLittleMemory(source: string) {
  const script = join(import.meta.dirname, "../support/read-on-little-memory.mjs");
  const flags = [`--max-old-space-size=${heapMegabytes}`, script, source];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as {
    examples: number;
    labels: number;
    rows: number[][];
    mostBytes: number;
    data: object;
    describe: string;
  };
}

const padding = "x".repeat(60);

test("a table larger than memory is read in parts, and its rows are the file's", { timeout: 120_000 }, async () => {
  const { path, lines } = largeFile(
    "table.csv",
    "note,a,b,town,kind\r\n",
    (row) => `"${padding}, ${row % 7 === 0 ? "\n" : ""}""${row}""",${row},${row / 8},t${row % 3},k${row % 2}\r\n`,
  );
  const source = `csv:${path}?target=kind&ignore=note&categorical=town`;
  const { examples, rows, mostBytes, data, labels } = await readOnLittleMemory(source);
  expect([examples, labels]).toEqual([lines, lines]);
  expect(data).toEqual({ kind: "table", shape: [5], target: "class", classes: 2 });
  for (const [row, ...values] of rows) {
    const town = [0, 1, 2].map((t) => (row! % 3 === t ? 1 : 0));
    expect(values).toEqual([row, row! / 8, ...town, row! % 2]);
  }
  expect(mostBytes).toBeLessThan(statSync(path).size);
});

test("so is a LIBSVM file", { timeout: 120_000 }, async () => {
  const { path, lines } = largeFile(
    "rows.libsvm",
    "",
    (row) => `${row % 2 === 0 ? -1 : 1} 1:${row} 3:0.5 #${padding}\n`,
  );
  const { examples, rows, mostBytes } = await readOnLittleMemory(`libsvm:${path}`);
  expect(examples).toBe(lines);
  for (const [row, ...values] of rows) expect(values).toEqual([row, 0, 0.5, row! % 2]);
  expect(mostBytes).toBeLessThan(statSync(path).size);
});

test("so is a text, its characters of one byte or of several", { timeout: 120_000 }, async () => {
  const line = (row: number) => `${row % 2 === 0 ? "ab" : "äb€"}${"x".repeat(60)}\r\n`;
  const { path, lines } = largeFile("text.txt", "", line);
  const { examples, rows, mostBytes, data } = await readOnLittleMemory(`text:${path}?window=2`);
  expect(data).toMatchObject({ kind: "text", classes: 6, vocabulary: "\nabxä€" });
  const two = [..."ab", ..."x".repeat(60), "\n", ..."äb€", ..."x".repeat(60), "\n"].map((c) => "\nabxä€".indexOf(c));
  expect(examples).toBe((lines / 2) * two.length);
  for (const [position, ...codes] of rows) {
    const code = (at: number) => (at < 0 ? 0 : two[at % two.length]);
    expect(codes).toEqual([code(position! - 2), code(position! - 1), code(position!)]);
  }
  expect(mostBytes).toBeLessThan(statSync(path).size);
});
