import { type Dataset, targetOf } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { csvColumns, digits, gunzipped, partition, readCsv, readMnist, readText, subset } from "@tributary/training";
import { readImageFolders } from "./image-folders.ts";
import type { DataChoice, DataFound } from "./messages.ts";

/** Data in the worker's memory, and what the page may know of it. */
export interface OpenedData {
  readonly dataset: Dataset;
  readonly found: DataFound;
}

const table = "a table in CSV form";

/** Two classes dominate each demo shard, as in `tributary demo`: devices that all held the same would need no federation. */
const demoPartition = "dominant:2";

/** Reads what a person chose. Throws `bad_data` that says what is wrong with which file. */
export async function openChoice(choice: DataChoice): Promise<OpenedData> {
  switch (choice.kind) {
    case "digits": {
      const { device, of, examples } = choice;
      const all = digits({ count: examples, seed: 0, split: "train" });
      const rows = partition(demoPartition, all.labels, { clients: of, random: 0 })[device - 1]!;
      return opened("images", subset(all, rows), { labels: Array.from(rows, (row) => all.labels[row]!) });
    }
    case "mnist": {
      const [images, labels] = await Promise.all([bytesOf(choice.images), bytesOf(choice.labels)]);
      const dataset = readMnist({ images, labels });
      return opened("images", dataset, { labels: dataset.labels });
    }
    case "images": {
      const { dataset, labels } = await readImageFolders(choice.files, choice);
      return opened("images", dataset, { labels, classes: choice.classes });
    }
    case "csv": {
      const { dataset, labels, classes, features } = readCsv(await textOf(choice.file, table), choice.schema);
      return opened("table", dataset, { labels, classes, features });
    }
    case "text": {
      const { file, window, vocabulary } = choice;
      const { dataset, labels } = readText(await textOf(file, "a text in UTF-8"), { window, vocabulary });
      const { found } = opened("text", dataset, { labels, classes: [...vocabulary] });
      return { dataset, found: { ...found, data: { ...found.data, vocabulary } } };
    }
  }
}

/** The names in the header of a table, gzipped or not. Throws `bad_data` where the file is no table. */
export async function columnsOf(file: File): Promise<readonly string[]> {
  const columns = csvColumns(await textOf(file, table)).filter((name) => name !== "");
  if (columns.length >= 2) return columns;
  throw new ProtocolError(
    "bad_data",
    `${file.name} does not look like a table: its first line names ${columns.length} column${columns.length === 1 ? "" : "s"}, ` +
      "and at least two, separated by commas, are needed.",
  );
}

function opened(
  kind: DataFound["data"]["kind"],
  dataset: Dataset,
  about: { labels: ArrayLike<number> | undefined; classes?: readonly string[]; features?: readonly string[] },
): OpenedData {
  const { labels = [], features = [] } = about;
  const names = about.classes ?? Array.from({ length: dataset.classes }, (_, label) => `${label}`);
  const counts = new Uint32Array(dataset.classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const data = { kind, shape: [...dataset.shape], target: targetOf(dataset), classes: dataset.classes };
  const classes = names.map((name, label) => ({ name, examples: counts[label]! }));
  return { dataset, found: { data, examples: dataset.examples, classes, features } };
}

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    const detail = `${file.name} can no longer be read (${(cause as Error).message}); choose it again.`;
    throw new ProtocolError("bad_data", detail, { cause });
  }
}

/** A file's characters, where it has some; `wanted` says what it should be. */
async function textOf(file: File, wanted: string): Promise<string> {
  const bytes = gunzipped(await bytesOf(file), file.name);
  if (bytes.subarray(0, 1024).includes(0)) {
    throw new ProtocolError("bad_data", `${file.name} is not text; ${wanted} is wanted.`);
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
