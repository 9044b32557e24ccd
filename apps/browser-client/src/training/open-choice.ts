import { type Dataset, targetOf } from "@tributary/algorithm";
import {
  Breath,
  csvColumns,
  csvRecords,
  digits,
  fitData,
  partition,
  readCsvInSteps,
  readLibsvmInSteps,
  readMnist,
  readRatingsInSteps,
  readTextInSteps,
  type Steps,
  subset,
} from "@tributary/training";
import { words } from "../words.ts";
import { readImageFolders } from "./image-folders.ts";
import type { DataChoice, DataFound } from "./messages.ts";
import { bytesOf, type Reading, textOf, textParts } from "./read-file.ts";
import { refuse } from "./refuse.ts";
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

/** Reads what a person chose. Throws `bad_data` that says what is wrong with which file, or the signal's reason. */
export async function openChoice(choice: DataChoice, { tell, signal }: Reading): Promise<OpenedData> {
  let told = 0;
  const inPercent = (share: number) => {
    const percent = Math.floor(100 * share) / 100;
    if (percent > told) tell(percent);
    told = Math.max(told, percent);
  };
  let opened: OpenedData;
  try {
    opened = await read(choice, { tell: inPercent, signal });
  } catch (error) {
    // What engines throw where an array would be too large.
    if (error instanceof RangeError) refuse(words.files.memory);
    throw error;
  }
  if (opened.dataset.examples === 0) refuse(words.files.empty);
  return opened;
}

async function read(choice: DataChoice, reading: Reading): Promise<OpenedData> {
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
      const { dataset, labels } = await readImageFolders(choice.files, choice, reading);
      return opened("images", dataset, { labels, classes: choice.classes });
    }
    case "csv": {
      const table = (text: string) => readCsvInSteps(text, choice.schema);
      const { text, dataset, labels, classes, features } = await readInTurns(choice.file, kinds.csv, table, reading);
      const { categorical, target } = choice.schema;
      const about = { labels, classes, features, target, ...(categorical === undefined ? {} : { categorical }) };
      return { ...opened("table", dataset, about), sample: sampleOf(choice, text) };
    }
    case "text": {
      const { file, window, vocabulary } = choice;
      const windows = (text: string) => readTextInSteps(text, { window, vocabulary });
      const { text, dataset, labels } = await readInTurns(file, kinds.text, windows, reading);
      const { found } = opened("text", dataset, { labels, classes: [...vocabulary] });
      return { dataset, found: { ...found, data: { ...found.data, vocabulary } }, sample: sampleOf(choice, text) };
    }
    case "libsvm": {
      const { kind, shape, target } = choice.data;
      const schema = { features: shape[0]!, ...(target === "none" ? {} : { targetKind: target }) };
      const rows = (text: string) => readLibsvmInSteps(text, schema);
      const { text, dataset, labels, classes } = await readInTurns(choice.file, kinds.libsvm, rows, reading);
      return { ...opened(kind, dataset, { labels, classes: classes.map(String) }), sample: sampleOf(choice, text) };
    }
    case "ratings": {
      const read = await readInTurns(choice.file, kinds.ratings, readRatingsInSteps, reading);
      const { text, dataset, users, items } = read;
      const { found } = opened("ratings", dataset, { labels: undefined });
      const data = { ...found.data, users, items };
      fitData({ dataset, data }, choice.data);
      return { dataset, found: { ...found, data }, sample: sampleOf(choice, text) };
    }
  }
}

/** Of the time that a text takes, what reading its file takes; the rest goes to making sense of it. */
const fileShare = 0.2;

/**
 * Reads a file's text and makes sense of it in steps that yield the share which is done; lets others have their turn
 * between them.
 */
async function readInTurns<Found>(
  file: File,
  kind: string,
  stepsOf: (text: string) => Steps<Found>,
  { tell, signal }: Reading,
): Promise<Found & { text: string }> {
  const text = await textOf(file, kind, { tell: (share) => tell(fileShare * share), signal });
  const steps = stepsOf(text);
  const breath = new Breath();
  for (;;) {
    const step = steps.next();
    if (step.done) return { ...step.value, text };
    tell(fileShare + (1 - fileShare) * step.value);
    await breath.due();
    signal.throwIfAborted();
  }
}

/** As much of a table as is read for its header. */
const headLength = 1 << 16;

/**
 * The names of a table's columns, gzipped or not: of its header, or 1, 2, 3 …. Reads no more than it takes. Throws
 * `bad_data` where it is no table, or the signal's reason.
 */
export async function columnsOf(
  file: File,
  { header, signal }: { header: boolean; signal: AbortSignal },
): Promise<readonly string[]> {
  let text = "";
  for await (const part of textParts(file, kinds.csv, { tell: () => undefined, signal })) {
    text += part;
    if (text.length >= headLength && holdsRecord(text)) break;
  }
  const named = csvColumns(text);
  const columns = header ? named.filter((name) => name !== "") : named.map((_, index) => `${index + 1}`);
  return columns.length >= 2 ? columns : refuse(words.files.noTable(file.name, columns.length));
}

/** Whether a record ends in the text. */
function holdsRecord(text: string): boolean {
  try {
    const [first] = csvRecords(text);
    return first !== undefined && first.end < text.length;
  } catch {
    // A value between quotes may go on beyond.
    return false;
  }
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
