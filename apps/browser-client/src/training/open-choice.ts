import { type Dataset, targetOf } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import {
  csvColumns,
  digits,
  fitData,
  gunzipped,
  partition,
  readCsv,
  readLibsvm,
  readMnist,
  readRatings,
  readText,
  subset,
} from "@tributary/training";
import { words } from "../words.ts";
import { readImageFolders } from "./image-folders.ts";
import type { DataChoice, DataFound } from "./messages.ts";
import { type Sample, sampleOf } from "./sample.ts";

/** Data in the worker's memory, and what the page may know of it. */
export interface OpenedData {
  readonly dataset: Dataset;
  readonly found: DataFound;
  /** The beginning of the file, where it is text. */
  readonly sample?: Sample;
}

const { kinds } = words.files;
/** More classes than a model could tell apart here: a sign of numbers, or of names. */
const mostClasses = 10_000;

/** Two classes dominate each demo shard, as in `tributary demo`: devices that all held the same would need no federation. */
const demoPartition = "dominant:2";

/** Reads what a person chose. Throws `bad_data` that says what is wrong with which file. */
export async function openChoice(choice: DataChoice): Promise<OpenedData> {
  let opened: OpenedData;
  try {
    opened = await read(choice);
  } catch (error) {
    // What engines throw where an array would be too large.
    if (error instanceof RangeError) refuse(words.files.memory);
    throw error;
  }
  if (opened.dataset.examples === 0) refuse(words.files.empty);
  return opened;
}

async function read(choice: DataChoice): Promise<OpenedData> {
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
      const text = await textOf(choice.file, kinds.csv);
      const { dataset, labels, classes, features } = readCsv(text, choice.schema);
      const { categorical, target } = choice.schema;
      const about = { labels, classes, features, target, ...(categorical === undefined ? {} : { categorical }) };
      return { ...opened("table", dataset, about), sample: sampleOf(choice, text) };
    }
    case "text": {
      const { file, window, vocabulary } = choice;
      const text = await textOf(file, kinds.text);
      const { dataset, labels } = readText(text, { window, vocabulary });
      const { found } = opened("text", dataset, { labels, classes: [...vocabulary] });
      return { dataset, found: { ...found, data: { ...found.data, vocabulary } }, sample: sampleOf(choice, text) };
    }
    case "libsvm": {
      const { kind, shape, target } = choice.data;
      const schema = { features: shape[0]!, ...(target === "none" ? {} : { targetKind: target }) };
      const text = await textOf(choice.file, kinds.libsvm);
      const { dataset, labels, classes } = readLibsvm(text, schema);
      return { ...opened(kind, dataset, { labels, classes: classes.map(String) }), sample: sampleOf(choice, text) };
    }
    case "ratings": {
      const text = await textOf(choice.file, kinds.ratings);
      const { dataset, users, items } = readRatings(text);
      const { found } = opened("ratings", dataset, { labels: undefined });
      const data = { ...found.data, users, items };
      fitData({ dataset, data }, choice.data);
      return { dataset, found: { ...found, data }, sample: sampleOf(choice, text) };
    }
  }
}

/** The names of a table's columns, gzipped or not: of its header, or 1, 2, 3 …. Throws `bad_data` where it is no table. */
export async function columnsOf(file: File, { header }: { header: boolean }): Promise<readonly string[]> {
  const named = csvColumns(await textOf(file, kinds.csv));
  const columns = header ? named.filter((name) => name !== "") : named.map((_, index) => `${index + 1}`);
  return columns.length >= 2 ? columns : refuse(words.files.noTable(file.name, columns.length));
}

function opened(
  kind: DataFound["data"]["kind"],
  dataset: Dataset,
  about: {
    labels: ArrayLike<number> | undefined;
    classes?: readonly string[];
    features?: readonly string[];
    categorical?: readonly string[];
    target?: string | undefined;
  },
): OpenedData {
  const { labels = [], features = [], categorical = [], target } = about;
  if (kind !== "text" && dataset.classes > mostClasses) {
    refuse(words.files.classes(dataset.classes, mostClasses, target));
  }
  const names = about.classes ?? Array.from({ length: dataset.classes }, (_, label) => `${label}`);
  const counts = new Uint32Array(dataset.classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const data = { kind, shape: [...dataset.shape], target: targetOf(dataset), classes: dataset.classes };
  const classes = names.map((name, label) => ({ name, examples: counts[label]! }));
  return { dataset, found: { data, examples: dataset.examples, classes, features, categorical } };
}

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    return refuse(words.files.unreadable(file.name, (cause as Error).message));
  }
}

/** A file's characters, where it has some; `wanted` says what it should be. */
async function textOf(file: File, wanted: string): Promise<string> {
  const bytes = gunzipped(await bytesOf(file), file.name);
  if (bytes.subarray(0, 1024).includes(0)) refuse(words.files.notText(file.name, wanted));
  try {
    return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    return refuse(words.files.notUtf8(file.name));
  }
}

function refuse(detail: string): never {
  throw new ProtocolError("bad_data", detail);
}
